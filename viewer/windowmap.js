// SPDX-License-Identifier: GPL-2.0-only
//
// The window on a canvas: areas with their guard pages, holes, and addresses that wait
// for a purge, to scale, line after line.  Shows the part that the recording ever uses.

import { PAGE_SIZE } from './replay.js';
import { inkOn } from './theme.js';

const LINES = 3;
const LINE = 20; // CSS pixels
const SPACE = 4;
const FEWEST = 48; // pages

export class WindowMap {
	constructor(canvas, recording) {
		this.canvas = canvas;
		this.context = canvas.getContext('2d');
		this.recording = recording;
		this.drawn = null;
	}

	resize(width, ratio) {
		const { windowEnd, header } = this.recording;
		const pages = Math.max(FEWEST, Math.ceil((windowEnd / PAGE_SIZE) * 1.04));

		this.lines = windowEnd ? LINES : 1;
		this.shown = Math.min(
			header.window,
			Math.ceil(pages / this.lines / 4) * 4 * this.lines * PAGE_SIZE
		);
		this.perLine = this.shown / this.lines;
		this.width = width;
		this.height = this.lines * (LINE + SPACE) - SPACE;
		this.ratio = ratio;
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(this.height * ratio);
		this.canvas.style.width = `${width}px`;
		this.canvas.style.height = `${this.height}px`;
		this.drawn = null;
	}

	retheme(theme) {
		this.theme = theme;
		this.drawn = null;
	}

	// The pieces of a stretch, one per line, in CSS pixels.
	piecesOf(offset, size) {
		const pieces = [],
			end = Math.min(offset + size, this.shown);

		while (offset < end) {
			const line = Math.floor(offset / this.perLine);
			const stop = Math.min(end, (line + 1) * this.perLine);
			const x = ((offset - line * this.perLine) / this.perLine) * this.width;
			pieces.push({
				x,
				y: line * (LINE + SPACE),
				w: ((stop - offset) / this.perLine) * this.width,
				h: LINE,
			});
			offset = stop;
		}
		return pieces;
	}

	// The offset at a place, -1 for none.
	offsetAt(x, y) {
		const line = Math.floor(y / (LINE + SPACE));

		if (
			x < 0 ||
			x >= this.width ||
			line < 0 ||
			line >= this.lines ||
			y - line * (LINE + SPACE) > LINE
		)
			return -1;
		return line * this.perLine + (x / this.width) * this.perLine;
	}

	// Ranges are never changed, only replaced.
	unchanged(ranges) {
		return (
			this.drawn?.length === ranges.length &&
			ranges.every((range, i) => range === this.drawn[i])
		);
	}

	draw() {
		const { ranges } = this.recording.replay;
		const { context: c, ratio } = this;

		if (this.unchanged(ranges)) return;
		this.drawn = ranges.slice();
		c.setTransform(ratio, 0, 0, ratio, 0, 0);
		c.clearRect(0, 0, this.width, this.height);
		this.paintGround();
		for (const range of ranges) this.paint(range);
	}

	paintGround() {
		const { context: c, theme } = this;

		for (const { x, y, w, h } of this.piecesOf(0, this.shown)) {
			c.fillStyle = theme.panel;
			c.fillRect(x, y, w, h);
			c.strokeStyle = theme.line;
			c.lineWidth = 1;
			c.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
		}
	}

	paint(range) {
		const guard =
			range.type !== 'lazy' && range.size > range.pages * PAGE_SIZE
				? PAGE_SIZE
				: 0;
		const colour = this.theme[range.type];
		const pieces = this.piecesOf(range.offset, range.size - guard);

		for (const piece of pieces) this.paintPiece(piece, colour, range.type === 'lazy');
		for (const piece of this.piecesOf(range.offset + range.size - guard, guard))
			this.paintGuard(piece);
		if (pieces.length)
			this.label(
				pieces.reduce((a, b) => (b.w > a.w ? b : a)),
				range,
				colour
			);
	}

	paintPiece({ x, y, w, h }, colour, lazy) {
		const { context: c } = this;

		c.fillStyle = colour;
		c.fillRect(x, y, Math.max(0.75, w - (w > 3 ? 0.75 : 0)), h);
		if (lazy) this.hatch(x, y, w, h, this.theme.faint, 7);
	}

	paintGuard({ x, y, w, h }) {
		const { context: c, theme } = this;

		c.fillStyle = theme.panel;
		c.fillRect(x, y, w, h);
		this.hatch(x, y, w, h, theme.guard, 3.5);
	}

	hatch(x, y, w, h, colour, step) {
		const { context: c } = this;

		c.save();
		c.beginPath();
		c.rect(x, y, w, h);
		c.clip();
		c.strokeStyle = colour;
		c.lineWidth = 1.2;
		c.beginPath();
		for (let at = x - h; at < x + w; at += step) {
			c.moveTo(at, y + h);
			c.lineTo(at + h, y);
		}
		c.stroke();
		c.restore();
	}

	label({ x, y, w, h }, { type, pages }, colour) {
		const { context: c } = this;
		const short = { vmalloc: 'v', vmap: 'm', ioremap: 'io', lazy: '' }[type];
		const texts =
			type === 'lazy'
				? ['waits']
				: [`${type} ${pages}`, `${short}${pages}`, short];

		c.font = '11px system-ui, "DejaVu Sans", sans-serif';
		const text = texts.find((each) => c.measureText(each).width + 6 <= w);
		if (!text) return;
		c.fillStyle = type === 'lazy' ? this.theme.ink : inkOn(colour);
		if (type === 'lazy') {
			const width = c.measureText(text).width + 6;
			c.fillStyle = this.theme.lazy;
			c.fillRect(x + (w - width) / 2, y + 3, width, h - 6);
			c.fillStyle = this.theme.ink;
		}
		c.textAlign = 'center';
		c.textBaseline = 'middle';
		c.fillText(text, x + w / 2, y + h / 2 + 0.5);
	}
}
