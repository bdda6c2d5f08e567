// SPDX-License-Identifier: GPL-2.0-only
//
// Two charts over the whole recording: for each order the unusable free space index of
// mm/vmstat.c, and the number of free blocks.  A line marks the present position; a
// click goes to another.

import uPlot from 'uplot';
import { ORDERS } from './replay.js';
import { element } from './dom.js';
import { mix } from './theme.js';

const HEIGHTS = { low: 116, high: 180 };
const HIGH_WINDOW = 1000;

const CHARTS = [
	{
		title: 'Unusable free space index',
		of: 'unusable',
		range: [0, 1.02],
		digits: 2,
		splits: () => [0, 0.5, 1],
	},
	{
		title: 'Free blocks',
		of: 'count',
		distr: 4,
		digits: 0,
		splits: (plot, axis, low, high) =>
			[0, 1, 10, 100, 1000, 10000].filter((nr) => nr <= high),
	},
];

const CURSOR = {
	focus: { prox: 24 },
	drag: { x: false, y: false },
	points: { show: false },
};

function axis(theme, more) {
	return {
		stroke: theme.faint,
		font: '11px system-ui, sans-serif',
		grid: { stroke: theme.line, width: 1 },
		ticks: { show: false },
		...more,
	};
}

export class Curves {
	// @seek: go to a place on the common scale
	constructor(recording, seek) {
		this.recording = recording;
		this.seek = seek;
		this.charts = CHARTS.map((chart) => this.frame(chart));
		this.node = element(
			'div',
			{ class: 'charts' },
			...this.charts.map(({ node }) => node)
		);
	}

	frame(chart) {
		const note = element('span'),
			title = element('h3', {}, chart.title, note);
		const node = element(
			'div',
			{
				class: 'chart',
				role: 'img',
				'aria-label': `${chart.title}, by order, over time`,
			},
			title
		);
		const now = element('i', { class: 'now' });

		return { ...chart, note, node, now, plot: null };
	}

	get height() {
		return innerHeight > HIGH_WINDOW ? HEIGHTS.high : HEIGHTS.low;
	}

	// Draw again, with the theme's colours, on the given scale.
	build(theme, sync) {
		const { samples } = this.recording;
		const x = samples.map(({ position }) => sync.placeOf(this.recording, position));

		for (const chart of this.charts) {
			const data = [
				x,
				...Array.from({ length: ORDERS }, (_, order) =>
					samples.map((sample) => sample[chart.of][order])
				),
			];
			chart.plot?.destroy();
			chart.plot = new uPlot(this.options(chart, theme, sync), data, chart.node);
			chart.plot.over.append(chart.now);
			chart.plot.over.addEventListener('click', (event) =>
				this.seek(chart.plot.posToVal(event.offsetX, 'x'))
			);
		}
	}

	options(chart, theme, sync) {
		return {
			width: Math.max(120, chart.node.clientWidth),
			height: this.height,
			series: [{}, ...this.lines(theme)],
			legend: { show: false },
			padding: [6, 4, 6, 0],
			focus: { alpha: 0.2 },
			cursor: CURSOR,
			scales: this.scales(chart, sync),
			axes: this.axes(chart, theme),
			hooks: {
				setSeries: [(plot, nr) => this.say(chart, plot, nr)],
				setCursor: [(plot) => this.say(chart, plot, chart.nr)],
			},
		};
	}

	lines(theme) {
		return theme.orders.map((colour, order) => ({
			label: `order ${order}`,
			stroke: mix(colour, theme.ink, 0.22),
			width: 1.5,
			points: { show: false },
			paths: uPlot.paths.stepped({ align: 1 }),
		}));
	}

	scales(chart, sync) {
		const range = chart.range ?? ((plot, low, high) => [0, Math.max(1, high)]);

		return {
			x: { time: false, range: [0, Math.max(sync.most, 1e-9)] },
			y: { distr: chart.distr ?? 1, range },
		};
	}

	axes(chart, theme) {
		const values = (plot, splits) => splits.map(String);

		return [
			axis(theme, { show: false }),
			axis(theme, { size: 34, space: 22, splits: chart.splits, values }),
		];
	}

	// The value of the line under the pointer.
	say(chart, plot, nr) {
		const at = plot.cursor.idx;

		chart.nr = nr;
		const value = nr > 0 && at !== null && at !== undefined ? plot.data[nr][at] : null;
		chart.note.textContent =
			value === null ? '' : ` · order ${nr - 1}: ${value.toFixed(chart.digits)}`;
	}

	resize() {
		for (const { plot, node } of this.charts)
			plot?.setSize({
				width: Math.max(120, node.clientWidth),
				height: this.height,
			});
	}

	draw(place) {
		for (const { plot, now } of this.charts)
			now.style.transform = `translateX(${plot.valToPos(place, 'x')}px)`;
	}
}
