// SPDX-License-Identifier: GPL-2.0-only
//
// The chunk on a canvas, one cell per page.  Each block is one shape; its texture or digit
// repeats what its colour says.  A block is painted only if it has changed, so that the
// cost of a step is in proportion to its changes.

import { layoutOf } from './layout.js';
import { FREE, HAND, PARKED, PCP, USED } from './replay.js';
import { inkOn } from './theme.js';

const DIGIT_ROOM = 10; // CSS pixels that a digit needs
const TEXTURE_ROOM = 5; // of a cell

export class PageMap {
	constructor(canvas, recording) {
		this.canvas = canvas;
		this.context = canvas.getContext('2d');
		this.recording = recording;
		this.drawn = new Uint16Array(recording.header.pages);
		this.painted = 0;
	}

	// The largest size that fits, in whole device pixels.
	resize(name, width, height, ratio) {
		const { pages } = this.recording.header;

		this.ratio = ratio;
		this.layout = layoutOf(name, pages, width, height);
		const fit =
			Math.min(width / this.layout.columns, height / this.layout.rows) * ratio;
		this.cell = Math.max(2, Math.min(Math.floor(fit), Math.floor(28 * ratio)));
		this.canvas.width = this.layout.columns * this.cell;
		this.canvas.height = this.layout.rows * this.cell;
		this.canvas.style.width = `${this.canvas.width / ratio}px`;
		this.canvas.style.height = `${this.canvas.height / ratio}px`;
		this.drawn.fill(0);
	}

	retheme(theme) {
		this.theme = theme;
		this.drawn.fill(0);
	}

	// In CSS pixels from the canvas's corner.
	rectOf(index, order) {
		const { x, y, w, h } = this.layout.rectOf(index, order);
		const cell = this.cell / this.ratio;

		return { x: x * cell, y: y * cell, w: w * cell, h: h * cell };
	}

	// The page at a place in CSS pixels; -1 for none.
	pageAt(x, y) {
		const cell = this.cell / this.ratio;
		const [column, row] = [Math.floor(x / cell), Math.floor(y / cell)];

		if (
			column < 0 ||
			row < 0 ||
			column >= this.layout.columns ||
			row >= this.layout.rows
		)
			return -1;
		const index = this.layout.indexAt(column, row);
		return index < this.recording.header.pages ? index : -1;
	}

	// Returns how many blocks were painted.
	draw() {
		const { state, order, inArea, pages } = this.recording.replay;
		let painted = 0;

		for (let i = 0; i < pages; i += 1 << order[i]) {
			const key = 1 + (state[i] | (order[i] << 3) | (inArea[i] << 7));
			if (this.drawn[i] === key) continue;
			this.drawn.fill(0, i, i + (1 << order[i]));
			this.drawn[i] = key;
			this.paint(i, order[i], state[i], inArea[i]);
			painted++;
		}
		this.painted += painted;
		return painted;
	}

	paint(index, order, state, inArea) {
		const { context: c, cell } = this;
		const cells = this.layout.rectOf(index, order);
		const [x, y, w, h] = [
			cells.x * cell,
			cells.y * cell,
			cells.w * cell,
			cells.h * cell,
		];
		const gap = cell >= 4 ? Math.max(1, Math.round(cell / 12)) : order > 2 ? 1 : 0;

		c.clearRect(x, y, w, h);
		const shape = { x: x + gap / 2, y: y + gap / 2, w: w - gap, h: h - gap };
		if (state === FREE) this.paintFree(shape, order);
		else if (state === USED) this.paintFull(shape, order, inArea ? 'area' : 'used');
		else if (state === PARKED) this.paintFull(shape, order, 'parked');
		else if (state === PCP) this.paintHollow(shape, order);
		else if (state === HAND) this.paintHand(shape);
	}

	round({ x, y, w, h }) {
		const { context: c } = this;

		c.beginPath();
		c.roundRect(x, y, w, h, Math.min(this.cell / 4, 4 * this.ratio, w / 2, h / 2));
	}

	fill(shape, colour) {
		this.context.fillStyle = colour;
		if (this.cell < 5) {
			this.context.fillRect(shape.x, shape.y, shape.w, shape.h);
			return;
		}
		this.round(shape);
		this.context.fill();
	}

	paintFree(shape, order) {
		const colour = this.theme.orders[order];

		this.fill(shape, colour);
		this.grid(shape, inkOn(colour), 0.1);
		this.digit(shape, order, inkOn(colour));
	}

	// Separate the pages of one block.
	grid({ x, y, w, h }, colour, alpha) {
		const { context: c, cell } = this;

		if (cell < TEXTURE_ROOM * this.ratio) return;
		c.globalAlpha = alpha;
		c.fillStyle = colour;
		const left = Math.round(x / cell) * cell,
			top = Math.round(y / cell) * cell;
		for (let at = left + cell; at < x + w - 1; at += cell) c.fillRect(at, y, 1, h);
		for (let at = top + cell; at < y + h - 1; at += cell) c.fillRect(x, at, w, 1);
		c.globalAlpha = 1;
	}

	digit({ x, y, w, h }, order, colour) {
		const { context: c, ratio } = this;
		const room = Math.min(w, h) / ratio;

		if (room < DIGIT_ROOM) return;
		const size = Math.max(8.5, Math.min(30, room * (room < 16 ? 0.72 : 0.42)));
		c.globalAlpha = room < 30 ? 0.9 : 0.75;
		c.fillStyle = colour;
		c.font = `600 ${size * ratio}px ui-monospace, "DejaVu Sans Mono", monospace`;
		c.textAlign = 'center';
		c.textBaseline = 'middle';
		c.fillText(order, x + w / 2, y + h / 2 + size * ratio * 0.05);
		c.globalAlpha = 1;
	}

	// A block in use: each page has the texture of its kind.
	paintFull(shape, order, kind) {
		const { theme, cell, ratio } = this;
		const ink = theme[`${kind}Ink`];

		this.fill(shape, theme[kind]);
		if (cell < TEXTURE_ROOM * ratio) {
			this.specks(shape, kind, ink);
			return;
		}
		this.grid(shape, ink, 0.35);
		this.eachCell(shape, (x, y) => this.texture(x, y, kind, ink));
	}

	// The texture of small cells: one speck per page.
	specks(shape, kind, ink) {
		const { context: c, cell } = this;
		const middle = Math.floor(cell / 2);

		if (kind === 'used' || cell < 3) return;
		c.fillStyle = ink;
		this.eachCell(shape, (x, y) => {
			c.fillRect(x + middle, y + middle, 1, 1);
			if (kind === 'parked') c.fillRect(x + middle - 1, y + middle - 1, 1, 1);
		});
	}

	eachCell({ x, y, w, h }, visit) {
		const { cell } = this;
		const left = Math.round(x / cell) * cell,
			top = Math.round(y / cell) * cell;

		for (let row = top; row < y + h - 1; row += cell)
			for (let column = left; column < x + w - 1; column += cell)
				visit(column, row);
	}

	texture(x, y, kind, ink) {
		const { context: c, cell, ratio } = this;
		const near = cell * 0.3,
			far = cell * 0.7;

		c.strokeStyle = c.fillStyle = ink;
		c.lineWidth = Math.max(1, cell / 11);
		c.beginPath();
		if (kind === 'area') {
			const size = Math.max(ratio, Math.round(cell * 0.2));
			c.fillRect(
				x + Math.round((cell - size) / 2),
				y + Math.round((cell - size) / 2),
				size,
				size
			);
			return;
		}
		c.moveTo(x + near, y + far);
		c.lineTo(x + far, y + near);
		if (kind === 'parked') {
			c.moveTo(x + near, y + near);
			c.lineTo(x + far, y + far);
		}
		c.stroke();
	}

	// On a per-CPU list: free, but on none of the zone's free lists.
	paintHollow(shape, order) {
		const { context: c, theme, ratio, cell } = this;
		const width = Math.max(1, Math.min(2 * ratio, cell / 6));

		this.fill(shape, theme.ground);
		c.strokeStyle = theme.orders[Math.min(order, 3)];
		c.lineWidth = width;
		this.round({
			x: shape.x + width / 2,
			y: shape.y + width / 2,
			w: shape.w - width,
			h: shape.h - width,
		});
		c.stroke();
		this.digit(shape, order, theme.ink);
	}

	// Taken off its list, and not yet handed out.
	paintHand(shape) {
		const { context: c, theme, ratio } = this;

		c.strokeStyle = theme.hand;
		c.lineWidth = 1.5 * ratio;
		c.setLineDash([3 * ratio, 2 * ratio]);
		this.round({
			x: shape.x + 1,
			y: shape.y + 1,
			w: Math.max(1, shape.w - 2),
			h: Math.max(1, shape.h - 2),
		});
		c.stroke();
		c.setLineDash([]);
	}
}
