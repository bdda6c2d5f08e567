// SPDX-License-Identifier: GPL-2.0-only
//
// Draws over the maps: outlines of the block under the pointer, of its buddy and of both
// together, lines from an area to its pages, and the animation of the present splits and
// merges.  It is redrawn as a whole, because there is little of it.

import { PAGE_SIZE, TOP } from './replay.js';
import { mix } from './theme.js';

const MOTION = 420; // milliseconds
const MOST_RUNS = 160;

const ease = (part) => 1 - (1 - part) ** 3;

export class Overlay {
	constructor(canvas, map, window) {
		this.canvas = canvas;
		this.context = canvas.getContext('2d');
		this.map = map;
		this.window = window;
		this.effect = null;
	}

	// @windowTop: where the window's canvas begins below the map's.
	resize(width, height, windowTop, ratio) {
		this.windowTop = windowTop;
		this.ratio = ratio;
		this.width = width;
		this.height = height;
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(height * ratio);
		this.canvas.style.width = `${width}px`;
		this.canvas.style.height = `${height}px`;
	}

	start(event, speed, still) {
		this.effect =
			[
				'split',
				'coalesce',
				'alloc',
				'free',
				'pcp_refill',
				'pcp_drain',
				'recycle',
			].includes(event?.name) && event.page >= 0
				? {
						event,
						begun: performance.now(),
						lasts: Math.min(MOTION, 900 / speed),
						still,
					}
				: null;
	}

	// Returns whether the animation goes on.
	draw(replay, { hover, selected, area }) {
		const { context: c } = this;

		c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
		c.clearRect(0, 0, this.width, this.height);
		const moving = this.drawEffect();
		if (area) this.drawArea(area);
		if (selected >= 0) this.drawBlock(replay, selected, 2);
		if (hover >= 0 && hover !== selected) this.drawBlock(replay, hover, 1.25);
		return moving;
	}

	outline({ x, y, w, h }, colour, width, dash = [], grow = 0) {
		const { context: c } = this;

		c.strokeStyle = colour;
		c.lineWidth = width;
		c.setLineDash(dash);
		c.strokeRect(x - grow, y - grow, w + 2 * grow, h + 2 * grow);
		c.setLineDash([]);
	}

	// A rim in the colour of the ground makes a line visible on any colour.
	clear(rect, colour, width, dash, grow) {
		this.outline(rect, this.map.theme.panel, width + 2, [], grow);
		this.outline(rect, colour, width, dash, grow);
	}

	drawBlock(replay, page, width) {
		const { theme } = this.map;
		const index = replay.blockOf(page),
			order = replay.order[index];
		const buddy = index ^ (1 << order);

		if (order < TOP && buddy + (1 << order) <= replay.pages) {
			this.outline(
				this.map.rectOf(index & buddy, order + 1),
				theme.faint,
				1,
				[],
				2.5
			);
			this.clear(this.map.rectOf(buddy, order), theme.buddy, width, [4, 3], 0);
		}
		this.clear(this.map.rectOf(index, order), theme.select, width, [], 0);
		if (order > 0) this.outline(this.map.rectOf(page, 0), theme.select, width, [], -1);
	}

	// --- an area and its pages -----------------------------------------------------------

	drawArea(range) {
		const { theme } = this.map;

		for (const piece of this.window.piecesOf(range.offset, range.size))
			this.clear(
				{ ...piece, y: piece.y + this.windowTop },
				theme.select,
				2,
				[],
				0
			);
		for (const run of this.spread(range.runs)) this.drawRun(run, theme);
	}

	// Of very many runs, draw only some: enough to see where they go.
	spread(runs) {
		const step = Math.ceil(runs.length / MOST_RUNS);

		return step > 1 ? runs.filter((_, i) => i % step === 0) : runs;
	}

	drawRun([offset, page, nr], theme) {
		const { context: c } = this;
		const piece = this.window.piecesOf(offset, nr * PAGE_SIZE)[0];

		if (!piece) return;
		const rects = this.rectsOfRun(page, nr);
		for (const rect of rects) this.outline(rect, theme.select, 1.5, [], -0.5);
		const from = { x: piece.x + piece.w / 2, y: piece.y + this.windowTop };
		const to = { x: rects[0].x + rects[0].w / 2, y: rects[0].y + rects[0].h / 2 };
		const bend = (from.y - to.y) * 0.45;
		c.beginPath();
		c.moveTo(from.x, from.y);
		c.bezierCurveTo(from.x, from.y - bend, to.x, to.y + bend, to.x, to.y);
		c.globalAlpha = 0.75;
		c.strokeStyle = theme.select;
		c.lineWidth = 1.25;
		c.stroke();
		c.globalAlpha = 1;
		c.beginPath();
		c.arc(to.x, to.y, 2.25, 0, 2 * Math.PI);
		c.fillStyle = theme.select;
		c.fill();
	}

	// Divide a run into the largest aligned blocks.
	rectsOfRun(page, nr) {
		const rects = [];

		while (nr > 0) {
			let order = 0;
			while (order < TOP && !(page & ((2 << order) - 1)) && 2 << order <= nr)
				order++;
			rects.push(this.map.rectOf(page, order));
			page += 1 << order;
			nr -= 1 << order;
		}
		return rects;
	}

	// --- motion --------------------------------------------------------------------------

	drawEffect() {
		const { effect } = this;

		if (!effect) return false;
		const part = (performance.now() - effect.begun) / effect.lasts;
		if (part >= 1 && !effect.still) {
			this.effect = null;
			return false;
		}
		const how = effect.still ? 0.5 : ease(part);
		if (effect.event.name === 'split')
			this.drawParting(effect.event.page, effect.event.order, how);
		else if (effect.event.name === 'coalesce')
			this.drawParting(
				Math.min(effect.event.page, effect.event.buddy),
				effect.event.order + 1,
				1 - how
			);
		else this.drawRing(effect.event, how);
		return !effect.still;
	}

	// The two halves of a block: one shape at 0, two at 1.
	drawParting(index, order, part) {
		const { context: c, map } = this;
		const { orders, ground, hand } = map.theme;
		const whole = map.rectOf(index, order),
			half = 1 << (order - 1);
		const apart =
			Math.min(7, Math.max(2, Math.min(whole.w, whole.h) * 0.14)) *
			Math.sin((Math.min(1, part) * Math.PI) / 1.35);

		c.fillStyle = ground;
		c.fillRect(whole.x, whole.y, whole.w, whole.h);
		for (const [at, away] of [
			[index, -1],
			[index + half, 1],
		]) {
			const rect = map.rectOf(at, order - 1);
			const beside = rect.h === whole.h;
			c.fillStyle = mix(orders[order], orders[order - 1], part);
			const [dx, dy] = beside ? [(apart * away) / 2, 0] : [0, (apart * away) / 2];
			c.fillRect(
				rect.x + dx + (away > 0 && beside ? 0 : 0.5),
				rect.y + dy + 0.5,
				rect.w - 1,
				rect.h - 1
			);
		}
		this.outline(whole, hand, 2, [], 1 + part);
	}

	drawRing({ page, order }, part) {
		const { map } = this;

		this.context.globalAlpha = 1 - part * 0.8;
		this.clear(map.rectOf(page, order), map.theme.hand, 2, [], 1 + 5 * part);
		this.context.globalAlpha = 1;
	}
}
