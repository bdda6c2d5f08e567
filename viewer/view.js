// SPDX-License-Identifier: GPL-2.0-only
//
// The view of one recording: the chunk, the window, the curves, the free lists and the
// details of the picked page or area.

import { Curves } from './curves.js';
import { Detail } from './detail.js';
import { Lists } from './lists.js';
import { Overlay } from './overlay.js';
import { PageMap } from './pagemap.js';
import { WindowMap } from './windowmap.js';
import { STATES } from './replay.js';
import { element, setText } from './dom.js';
import { THEMES, inkOn } from './theme.js';
import { caption, plural, sizeText } from './words.js';

export const PARAMS = ['era', 'expand', 'pcp', 'search', 'purge', 'placement'];
const BETWEEN = 27; // CSS pixels between chunk and window
const FEWEST_HEIGHT = 200;
// Smaller cells are hard to hit: below this the map may be taller, and the page scrolls.
const FEWEST_CELL = 4;
const TALLER = 1.4;
const LEGEND = 128;

export class View {
	// @app: seekIn(view, position), seekPlace(place), said(text); @params: names of those to show
	constructor(recording, app, params) {
		this.params = params;
		this.recording = recording;
		this.app = app;
		this.picked = { hover: -1, selected: -1, area: null };
		this.areaOffset = -1;
		this.canvases = ['map', 'window', 'overlay'].map((name) =>
			element('canvas', { class: name })
		);
		const [map, window, overlay] = this.canvases;
		this.map = new PageMap(map, recording);
		this.window = new WindowMap(window, recording);
		this.overlay = new Overlay(overlay, this.map, this.window);
		this.lists = new Lists(recording, (page) => this.select(page));
		this.curves = new Curves(recording, (place) => app.seekPlace(place));
		this.detail = new Detail(recording, {
			seek: (position) => app.seekIn(this, position),
		});
		this.build();
		this.listen();
	}

	// --- the parts -----------------------------------------------------------------------

	build() {
		const [map, window, overlay] = this.canvases;

		map.tabIndex = 0;
		map.setAttribute('role', 'application');
		map.setAttribute(
			'aria-label',
			`Page map of ${this.recording.title}: arrow keys move, Escape leaves`
		);
		window.setAttribute('role', 'img');
		this.caption = element('p', { class: 'caption' });
		this.between = element('div', { class: 'between' });
		this.pointed = element('span', { class: 'pointed' });
		this.legend = element('div', { class: 'legend', 'aria-label': 'Legend' });
		this.stage = element(
			'div',
			{ class: 'stage' },
			map,
			this.between,
			window,
			overlay,
			this.legend
		);
		this.node = element(
			'section',
			{ class: 'view', 'aria-label': this.recording.title },
			element('div', { class: 'head' }, this.headText(), this.caption),
			element('div', { class: 'left' }, this.stage, this.curves.node),
			element('aside', {}, this.lists.node, this.detail.node)
		);
	}

	headText() {
		const { header, verified, problem, checked } = this.recording;
		const params = this.params
			.filter((name) => header.params?.[name] !== undefined)
			.map((name) => `${name}=${header.params[name]}`)
			.join(' ');
		const line = element('div', {}, element('h2', {}, this.recording.title));

		if (params) line.append(element('span', { class: 'chips' }, params));
		if (verified)
			line.append(
				element(
					'span',
					{
						class: 'chips good',
						title: `The replay gives exactly the recorded state: compared with ${plural(checked, 'snapshot')}`,
					},
					'checked'
				)
			);
		else if (problem) line.append(element('span', { class: 'chips' }, `⚠ ${problem}`));
		return line;
	}

	// --- size and theme ------------------------------------------------------------------

	resize(layout, height) {
		const ratio = globalThis.devicePixelRatio || 1;
		const width = this.node.querySelector('.left').clientWidth;

		this.map.resize(layout, width, Math.max(FEWEST_HEIGHT, height), ratio);
		if (this.map.cell < FEWEST_CELL * ratio)
			this.map.resize(
				layout,
				width,
				Math.max(FEWEST_HEIGHT, height) * TALLER,
				ratio
			);
		this.window.resize(width, ratio);
		this.between.style.height = `${BETWEEN}px`;
		this.placeLegend(width, this.map.canvas.width / ratio);
		const top = this.map.canvas.height / ratio + BETWEEN;
		this.overlay.resize(this.window.width, top + this.window.height, top, ratio);
		this.curves.resize();
	}

	// Put it beside the map if there is room.
	placeLegend(width, used) {
		this.stage.classList.toggle(
			'beside',
			width - used >= LEGEND && this.map.canvas.clientHeight > 270
		);
		this.legend.style.left = `${used + 16}px`;
	}

	retheme(name, sync) {
		const theme = THEMES[name];

		for (const part of [this.map, this.window, this.lists]) part.retheme(theme);
		this.curves.build(theme, sync);
		this.drawLegend(theme);
	}

	drawLegend(theme) {
		const scale = element(
			'span',
			{ class: 'scale' },
			...theme.orders.map((colour, order) => {
				const badge = element('b', {}, String(order));
				badge.style.background = colour;
				badge.style.color = inkOn(colour);
				return element(
					'span',
					{},
					badge,
					element('i', {}, plural(1 << order, 'page'))
				);
			})
		);
		const swatch = (kind, text) => element('span', {}, legendSwatch(kind, theme), text);

		this.legend.replaceChildren(
			element('span', {}, 'free, by order'),
			scale,
			swatch('used', 'in use'),
			swatch('area', "an area's"),
			swatch('pcp', 'per-CPU list'),
			swatch('parked', 'parked'),
			swatch('hand', 'in hand')
		);
	}

	// --- drawing -------------------------------------------------------------------------

	// @stepped: whether it was one step forward, so that new blocks can be marked
	draw(place, stepped) {
		const { replay } = this.recording;

		this.refreshArea();
		this.map.draw();
		this.window.draw();
		this.lists.draw(stepped);
		this.curves.draw(place);
		this.detail.draw(this.picked);
		this.sentence = caption(this.recording);
		setText(this.caption, this.sentence);
		this.between.replaceChildren(
			element(
				'span',
				{},
				`window, ${sizeText(this.window.shown)} of ${sizeText(replay.windowSize)}`
			),
			this.pointed,
			element('span', {}, this.windowText())
		);
		this.canvases[1].setAttribute('aria-label', `Window: ${this.windowText()}`);
	}

	windowText() {
		const { ranges } = this.recording.replay;
		const waiting = ranges.filter((range) => range.type === 'lazy');
		const bytes = waiting.reduce((sum, { size }) => sum + size, 0);

		return (
			plural(ranges.length - waiting.length, 'area') +
			(bytes ? `, ${sizeText(bytes)} wait for a purge` : '')
		);
	}

	// Returns whether something still moves.
	drawOverlay() {
		return this.overlay.draw(this.recording.replay, this.picked);
	}

	animate(speed, still) {
		this.overlay.start(this.recording.step, speed, still);
	}

	// --- picking -------------------------------------------------------------------------

	// The picked area, or the one that maps the picked page, in its present state.
	refreshArea() {
		const { replay } = this.recording;
		const { selected } = this.picked;

		if (selected >= 0)
			this.picked.area =
				replay.ranges.find(({ runs }) =>
					runs.some(
						([, page, nr]) =>
							selected >= page && selected < page + nr
					)
				) ?? null;
		else
			this.picked.area =
				this.areaOffset >= 0
					? (replay.rangeAt(this.areaOffset) ?? null)
					: null;
	}

	select(page) {
		this.picked.selected = page;
		this.areaOffset = -1;
		this.changed();
	}

	selectArea(offset) {
		const range = offset >= 0 ? this.recording.replay.rangeOver(offset) : null;

		this.picked.selected = -1;
		this.areaOffset = range ? range.offset : -1;
		this.changed();
	}

	changed() {
		this.refreshArea();
		this.detail.draw(this.picked);
		this.app.wake();
		const { heading } = this.detail;
		this.app.said(heading.textContent);
	}

	listen() {
		const [map, window] = this.canvases;
		const pageOf = (event) => this.map.pageAt(event.offsetX, event.offsetY);

		map.addEventListener('pointermove', (event) => this.hover(pageOf(event)));
		map.addEventListener('pointerleave', () => this.hover(-1));
		map.addEventListener('click', (event) => this.select(pageOf(event)));
		map.addEventListener('keydown', (event) => this.key(event));
		window.addEventListener('click', (event) =>
			this.selectArea(this.window.offsetAt(event.offsetX, event.offsetY))
		);
	}

	hover(page) {
		if (page === this.picked.hover) return;
		this.picked.hover = page;
		setText(this.pointed, page >= 0 ? this.hint(page) : '');
		this.app.wake();
	}

	hint(page) {
		const { replay } = this.recording;
		const index = replay.blockOf(page);

		return `page ${page}: block ${index}, order ${replay.order[index]}, ${STATES[replay.state[index]]}`;
	}

	// Arrow keys on the map go to the neighbouring page on the screen.
	key(event) {
		const moves = {
			ArrowLeft: [-1, 0],
			ArrowRight: [1, 0],
			ArrowUp: [0, -1],
			ArrowDown: [0, 1],
		};
		const move = moves[event.key];

		if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
		event.preventDefault();
		event.stopPropagation();
		const { x, y, w, h } = this.map.rectOf(Math.max(0, this.picked.selected), 0);
		const page = this.map.pageAt(x + w / 2 + move[0] * w, y + h / 2 + move[1] * h);
		if (page >= 0) this.select(this.picked.selected < 0 ? 0 : page);
	}
}

function legendSwatch(kind, theme) {
	const canvas = element('canvas', { width: 30, height: 30, 'aria-hidden': 'true' });
	const pen = Object.create(PageMap.prototype);

	canvas.style.width = canvas.style.height = '15px';
	Object.assign(pen, { context: canvas.getContext('2d'), theme, cell: 30, ratio: 2 });
	const shape = { x: 1, y: 1, w: 28, h: 28 };
	if (kind === 'pcp') pen.paintHollow(shape, 0);
	else if (kind === 'hand') pen.paintHand(shape);
	else pen.paintFull(shape, 0, kind);
	return canvas;
}
