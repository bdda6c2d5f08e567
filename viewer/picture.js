// SPDX-License-Identifier: GPL-2.0-only
//
// usage: node viewer/picture.js OUTPUT
//
// Draws one moment of the demo as SVG, for the README: the chunk when half of it is free
// but in small pieces, and an area of the window that got its pages all the same.  The
// same recording gives the same picture.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { layoutOf } from './layout.js';
import { Recording } from './recording.js';
import { FREE, ORDERS, PAGE_SIZE, PARKED, PCP, USED } from './replay.js';
import { THEMES, inkOn } from './theme.js';
import { writeOrFail } from './write.js';

const CELL = 11;
const MAP = { x: 24, y: 66 };
const WINDOW = { x: 24, height: 22 };
const SIDE = 30; // between the map and the lists
const LISTS = 226; // how wide these are
const MOMENT = 'but an area takes them';

const escape = (text) => String(text).replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
const box = ({ x, y, w, h }) => `M${x} ${y}h${w}v${h}h${-w}z`;
const number = (value) => Number(value.toFixed(1));

function largestOf(replay) {
	return 1 << replay.count.findLastIndex((nr) => nr > 0);
}

// The free memory at the mark of the moment, and the area made before the next mark.
function telling(recording) {
	const at = recording.marks.findIndex(({ text }) => text.startsWith(MOMENT));

	if (at < 0) throw new Error(`the demo has no mark '${MOMENT}'`);
	recording.seek(recording.marks[at].position);
	const before = { free: recording.replay.freePages(), largest: largestOf(recording.replay) };
	recording.seek(recording.marks[at + 1]?.position ?? recording.length);
	const area = recording.replay.ranges
		.filter(({ type }) => type === 'vmalloc')
		.reduce((a, b) => (b.pages > a.pages ? b : a));
	return { before, area };
}

// --- style -------------------------------------------------------------------------------------

function rules(theme) {
	const orders = theme.orders
		.map(
			(colour, order) =>
				`.o${order}{fill:${colour}}.t${order}{fill:${inkOn(colour)}}`
		)
		.join('');

	return (
		`.ground{fill:${theme.ground}}.rim{fill:none;stroke:${theme.line}}.ink{fill:${theme.ink}}` +
		`.faint{fill:${theme.faint}}${orders}.used{fill:${theme.used}}.area{fill:${theme.area}}` +
		`.parked{fill:${theme.parked}}.pcp{fill:${theme.ground};stroke:${theme.orders[0]}}` +
		`.usedInk{stroke:${theme.usedInk}}.areaInk{fill:${theme.areaInk}}.vmap{fill:${theme.vmap}}` +
		`.ioremap{fill:${theme.ioremap}}.vmalloc{fill:${theme.vmalloc}}.lazy{fill:${theme.lazy}}` +
		`.hole{fill:${theme.panel}}.guard{stroke:${theme.guard}}.link{stroke:${theme.select}}.dot{fill:${theme.select}}` +
		`.own{stroke:${theme.select};fill:none}`
	);
}

function style() {
	return (
		`<style>text{font:13px system-ui,"Segoe UI","DejaVu Sans",sans-serif}.bold{font-weight:600}` +
		`.big{font-size:17px;font-weight:650}.small{font-size:12px}.digit{font-weight:600;opacity:.85}` +
		`${rules(THEMES.light)}@media(prefers-color-scheme:dark){${rules(THEMES.dark)}}</style>`
	);
}

function patterns() {
	const cell = `width="${CELL}" height="${CELL}" patternUnits="userSpaceOnUse" x="${MAP.x}" y="${MAP.y}"`;

	return (
		`<defs><pattern id="usedMarks" ${cell}><path class="usedInk" d="M3.5 7.5l4-4"/></pattern>` +
		`<pattern id="areaMarks" ${cell}><rect class="areaInk" x="4.5" y="4.5" width="2" height="2"/></pattern>` +
		`<pattern id="cells" ${cell}><path d="M${CELL - 0.5} 0v${CELL}M0 ${CELL - 0.5}h${CELL}" stroke="#888" stroke-opacity=".22"/></pattern>` +
		`<pattern id="guards" width="3.5" height="3.5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
		`<path class="guard" d="M0 0v3.5" stroke-width="2.2"/></pattern></defs>`
	);
}

// --- the chunk ---------------------------------------------------------------------------------

function kindOf(replay, index) {
	const kinds = {
		[FREE]: `o${replay.order[index]}`,
		[USED]: replay.inArea[index] ? 'area' : 'used',
		[PCP]: 'pcp',
		[PARKED]: 'parked',
	};

	return kinds[replay.state[index]];
}

function rectOf(layout, index, order, gap = 0) {
	const { x, y, w, h } = layout.rectOf(index, order);

	return {
		x: MAP.x + x * CELL + gap / 2,
		y: MAP.y + y * CELL + gap / 2,
		w: w * CELL - gap,
		h: h * CELL - gap,
	};
}

// One path for all blocks of a kind.
function chunk(replay, layout) {
	const paths = new Map(),
		digits = [];

	for (const [index, order, state] of replay.blocks()) {
		const kind = kindOf(replay, index),
			rect = rectOf(layout, index, order, 1);
		paths.set(kind, (paths.get(kind) ?? '') + box(rect));
		if (state === 'free' && Math.min(rect.w, rect.h) >= CELL - 1)
			digits.push(digit(rect, order));
	}
	const shapes = [...paths].sort().map(([kind, d]) => `<path class="${kind}" d="${d}"/>`);
	for (const [kind, marks] of [
		['used', 'usedMarks'],
		['area', 'areaMarks'],
	])
		if (paths.has(kind))
			shapes.push(`<path fill="url(#${marks})" d="${paths.get(kind)}"/>`);
	const whole = { x: MAP.x, y: MAP.y, w: layout.columns * CELL, h: layout.rows * CELL };
	return [...shapes, `<path fill="url(#cells)" d="${box(whole)}"/>`, ...digits].join('\n');
}

function digit({ x, y, w, h }, order) {
	const size = Math.min(26, Math.max(8, Math.min(w, h) * 0.5));

	return (
		`<text class="t${order} digit" x="${x + w / 2}" y="${number(y + h / 2 + size * 0.36)}" ` +
		`text-anchor="middle" style="font-size:${number(size)}px">${order}</text>`
	);
}

// --- the window --------------------------------------------------------------------------------

function strip(recording, width, top) {
	const { replay } = recording;
	const shown = replay.ranges.at(-1).offset + replay.ranges.at(-1).size;
	const at = (offset) => number(WINDOW.x + (offset / shown) * width);
	const part = (kind, offset, size) =>
		`<rect class="${kind}" x="${at(offset)}" y="${top}" width="${number(at(offset + size) - at(offset))}" height="${WINDOW.height}"/>`;
	const shapes = [part('hole', 0, shown)];

	for (const { offset, size, type, pages } of replay.ranges) {
		const guard = type !== 'lazy' && size > pages * PAGE_SIZE ? PAGE_SIZE : 0;
		shapes.push(part(type, offset, size - guard));
		if (guard)
			shapes.push(
				part('guards', offset + size - guard, guard).replace(
					'class="guards"',
					'fill="url(#guards)"'
				)
			);
	}
	shapes.push(
		`<rect class="rim" x="${WINDOW.x}" y="${top}" width="${width}" height="${WINDOW.height}"/>`
	);
	return { text: shapes.join('\n'), at };
}

// Lines from the area to each run of its pages.
function links(area, layout, at, top) {
	const lines = [],
		dots = [],
		outlines = [];

	for (const [offset, page, nr] of area.runs) {
		const x = at(offset + (nr * PAGE_SIZE) / 2),
			rect = rectOf(layout, page, 0);
		const [tx, ty] = [rect.x + CELL / 2, rect.y + CELL / 2],
			bend = number((top - ty) * 0.45);
		lines.push(
			`M${x} ${top}C${x} ${number(top - bend)} ${tx} ${number(ty + bend)} ${tx} ${ty}`
		);
		dots.push(`<circle class="dot" cx="${tx}" cy="${ty}" r="1.7"/>`);
		for (let i = 0; i < nr; i++) outlines.push(box(rectOf(layout, page + i, 0, 1)));
	}
	const box_ = {
		x: at(area.offset),
		y: top,
		w: number(at(area.offset + area.size) - at(area.offset)),
		h: WINDOW.height,
	};
	return (
		`<path class="own" stroke-width="1.2" d="${outlines.join('')}"/>` +
		`<path class="link" fill="none" stroke-opacity=".4" d="${lines.join('')}"/>` +
		`${dots.join('')}<path class="own" stroke-width="2" d="${box(box_)}"/>`
	);
}

// --- words and figures -------------------------------------------------------------------------

function lists(replay, x, y) {
	const free = replay.freePages(),
		rows = [];

	rows.push(`<text class="ink bold" x="${x}" y="${y + 11}">Free lists</text>`);
	for (let order = 0; order < ORDERS; order++) {
		const top = y + 24 + order * 21,
			nr = replay.count[order];
		const width = number(((nr * (1 << order)) / free) * 110);
		rows.push(
			`<rect class="o${order}" x="${x}" y="${top}" width="18" height="18" rx="3"/>` +
				`<text class="t${order} small bold" x="${x + 9}" y="${top + 13.5}" text-anchor="middle">${order}</text>` +
				`<text class="ink" x="${x + 58}" y="${top + 14}" text-anchor="end">${nr}</text>` +
				(width
					? `<rect class="o${order}" x="${x + 70}" y="${top + 4}" width="${width}" height="10" rx="2"/>`
					: '')
		);
	}
	return rows.join('\n');
}

function legend(x, y) {
	const entries = [
		['used', 'in use', (at) => `<path class="usedInk" d="M${at + 5} ${y + 10}l5-5"/>`],
		[
			'area',
			"an area's page",
			(at) =>
				`<rect class="areaInk" x="${at + 6}" y="${y + 6}" width="3" height="3"/>`,
		],
	];

	return entries
		.map(([kind, text, texture], i) => {
			const at = x + i * 84;
			return (
				`<rect class="${kind}" x="${at}" y="${y}" width="15" height="15" rx="3"/>${texture(at)}` +
				`<text class="faint" x="${at + 22}" y="${y + 12}">${text}</text>`
			);
		})
		.join('\n');
}

function headline({ pages }, { before, area }) {
	return [
		`${before.free} of ${pages} pages were free, but nowhere more than ${before.largest} side by side`,
		`A request for 64 pages failed; then an area of the window took ${area.pages} from wherever they are. ` +
			'Recorded in a virtual machine, era=2.4.',
	];
}

function picture(recording) {
	const moment = telling(recording),
		{ area } = moment,
		{ replay } = recording;
	const layout = layoutOf('squares', replay.pages, 2, 1);
	const mapWidth = layout.columns * CELL,
		top = MAP.y + layout.rows * CELL + 36;
	const width = MAP.x * 2 + mapWidth + SIDE + LISTS,
		height = top + WINDOW.height + 36;
	const side = MAP.x + mapWidth + SIDE;
	const window = strip(recording, mapWidth + SIDE + LISTS, top);
	const [title, text] = headline(replay, moment);

	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">`,
		'<!-- SPDX-License-Identifier: GPL-2.0-only; made by: make picture -->',
		style(),
		patterns(),
		`<rect class="ground" width="${width}" height="${height}" rx="10"/>`,
		`<text class="ink big" x="${MAP.x}" y="31">${escape(title)}</text>`,
		`<text class="faint" x="${MAP.x}" y="51">${escape(text)}</text>`,
		chunk(replay, layout),
		lists(replay, side, MAP.y),
		legend(MAP.x, top - 24),
		`<text class="faint" x="${WINDOW.x}" y="${top + WINDOW.height + 18}">the window: areas, each with a guard page behind it; lines lead to its pages in the chunk</text>`,
		window.text,
		links(area, layout, window.at, top),
		'</svg>',
		'',
	].join('\n');
}

const demo = fileURLToPath(new URL('demo/era-2.4.jsonl', import.meta.url));
const output = process.argv[2];

if (!output) {
	console.error('usage: node viewer/picture.js OUTPUT');
	process.exit(2);
}
writeOrFail(output, picture(new Recording(readFileSync(demo, 'utf8'))));
console.log(output);
