# SPDX-License-Identifier: GPL-2.0-only
#
# The plots of docs/benchmarks.md, for gnuplot.  scripts/bench sets `data`, the
# directory of the *.dat files, and `out`; the first column is x, a '?' is missing.

set terminal svg size 720,400 font 'sans-serif,13' background '#ffffff'
set datafile missing '?'
set key below
set grid ytics linecolor '#dddddd'
set border 3
set tics nomirror

set style line 1 linewidth 2 linecolor '#0060a0' pointtype 7 pointsize 0.6
set style line 2 linewidth 2 linecolor '#60a8d8' pointtype 6 pointsize 0.7
set style line 3 linewidth 2 linecolor '#c04000' pointtype 5 pointsize 0.6
set style line 4 linewidth 2 linecolor '#808080' pointtype 9 pointsize 0.7

set output out . '/pairs.svg'
set title 'A pair of alloc and free, by order'
set xlabel 'order'
set ylabel 'instructions'
set logscale y
set xtics 1
plot data . '/pairs.dat' \
	using 1:2 with linespoints linestyle 1 title 'pocketmm', \
	'' using 1:3 with linespoints linestyle 2 title 'pcp=0, all split', \
	'' using 1:4 with linespoints linestyle 3 title 'alloc\_pages', \
	'' using 1:5 with linespoints linestyle 4 title 'gpu\_buddy'

set output out . '/vmalloc.svg'
set title 'A pair of vmalloc and vfree, by size'
set xlabel 'pages'
set logscale x 2
set xtics autofreq
plot data . '/vmalloc.dat' \
	using 1:2 with linespoints linestyle 1 title 'pocketmm', \
	'' using 1:3 with linespoints linestyle 2 title 'era=2.6', \
	'' using 1:4 with linespoints linestyle 4 title 'era=2.4', \
	'' using 1:5 with linespoints linestyle 3 title 'vmalloc'

set output out . '/holes.svg'
set title 'The same for 100 pages, by areas of one page in the way'
set xlabel 'areas'
set xrange [48:90000]
set xtics (64, 256, 1024, 4096, 16384, 65536)
plot data . '/holes.dat' \
	using 1:2 with linespoints linestyle 1 title 'search=tree', \
	'' using 1:3 with linespoints linestyle 4 title 'search=linear', \
	'' using 1:4 with linespoints linestyle 3 title 'vmalloc'

set output out . '/aged.svg'
set title 'vmalloc and vfree by size, a page, in a fresh pool and in old ones'
set xlabel 'pages'
set ylabel 'instructions, a page'
set xrange [*:*]
set xtics autofreq
plot data . '/aged.dat' \
	using 1:(column(2) / column(1)) with linespoints linestyle 1 title 'fresh', \
	'' using 1:(column(3) / column(1)) with linespoints linestyle 2 title 'churned', \
	'' using 1:(column(4) / column(1)) with linespoints linestyle 4 title 'checkered', \
	'' using 1:(column(9) / column(1)) with linespoints linestyle 3 title 'vmalloc, churned'

set output out . '/aged-packed.svg'
set title 'The same with placement=packed'
plot data . '/aged.dat' \
	using 1:(column(5) / column(1)) with linespoints linestyle 1 title 'fresh', \
	'' using 1:(column(6) / column(1)) with linespoints linestyle 2 title 'churned', \
	'' using 1:(column(7) / column(1)) with linespoints linestyle 4 title 'checkered', \
	'' using 1:(column(9) / column(1)) with linespoints linestyle 3 title 'vmalloc, churned'

unset logscale x
set output out . '/rounds-burst.svg'
set title 'A page of a burst of 4,096, by age'
set xlabel 'rounds of churn'
plot data . '/rounds-burst.dat' \
	using 1:(column(2) + column(3)) with linespoints linestyle 1 title 'lifo', \
	'' using 1:(column(4) + column(5)) with linespoints linestyle 2 title 'packed', \
	'' using 1:(column(6) + column(7)) with linespoints linestyle 3 title 'alloc\_pages'

set output out . '/rounds-vmalloc.svg'
set title 'A page of a pair of vmalloc and vfree of 100, by age'
plot data . '/rounds-vmalloc.dat' \
	using 1:(column(2) / 100) with linespoints linestyle 1 title 'lifo', \
	'' using 1:(column(3) / 100) with linespoints linestyle 2 title 'packed', \
	'' using 1:(column(4) / 100) with linespoints linestyle 3 title 'vmalloc'

set output out . '/fragmentation.svg'
set title 'Free pages that are in whole blocks of 2 MiB'
set xlabel 'rounds'
set ylabel 'share'
unset logscale
set xrange [*:*]
set xtics autofreq
set yrange [0:1]
plot data . '/frag.dat' \
	using 1:2 with lines linestyle 1 title 'packed', \
	'' using 1:3 with lines linestyle 4 title 'lifo', \
	'' using 1:4 with lines linestyle 3 title 'the kernel'

set output out . '/flushes.svg'
set title 'TLB flushes, by areas of one page freed'
set xlabel 'vfrees'
set ylabel 'flushes'
set yrange [0.8:*]
set xtics 10000
set logscale y
plot data . '/flushes.dat' \
	using 1:2 with linespoints linestyle 1 title 'purge=lazy', \
	'' using 1:3 with linespoints linestyle 4 title 'purge=eager', \
	'' using 1:4 with linespoints linestyle 3 title "the kernel's formula"
