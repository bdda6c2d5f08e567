// SPDX-License-Identifier: GPL-2.0-only
//
// Where each page of the chunk is drawn, in cells.  'squares': bits of the index go to x
// and y in turn, so that each block is a square or two squares side by side, and buddies
// are the two halves of one shape.  'rows': line by line, in reading order.

import { TOP } from './replay.js';

export const LAYOUTS = ['squares', 'rows'];

// Gather the even bits of a number.
function evenBits(bits) {
	let out = 0;

	for (let i = 0; i <= TOP; i += 2) out |= ((bits >> i) & 1) << (i >> 1);
	return out;
}

// The reverse of it.
function spread(bits) {
	let out = 0;

	for (let i = 0; i <= TOP; i++) out |= ((bits >> i) & 1) << (2 * i);
	return out;
}

function ceilLog2(number) {
	return Math.ceil(Math.log2(Math.max(1, number)));
}

// The number of columns that leaves the largest cells.
function bestColumns(candidates, width, height, rowsFor, colsFor) {
	let best = candidates[0],
		most = 0;

	for (const candidate of candidates) {
		const cell = Math.min(width / colsFor(candidate), height / rowsFor(candidate));
		if (cell > most) [best, most] = [candidate, cell];
	}
	return best;
}

function range(from, to) {
	return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

class Squares {
	constructor(pages, width, height) {
		this.tileOrder = Math.min(TOP, ceilLog2(pages));
		this.tileWidth = 1 << Math.ceil(this.tileOrder / 2);
		this.tileHeight = 1 << Math.floor(this.tileOrder / 2);
		const tiles = Math.ceil(pages / (1 << this.tileOrder));
		this.across = bestColumns(
			range(1, tiles),
			width,
			height,
			(across) => Math.ceil(tiles / across) * this.tileHeight,
			(across) => across * this.tileWidth
		);
		this.columns = this.across * this.tileWidth;
		this.rows = Math.ceil(tiles / this.across) * this.tileHeight;
	}

	rectOf(index, order) {
		const tile = index >> this.tileOrder,
			inside = index & ((1 << this.tileOrder) - 1);

		return {
			x: (tile % this.across) * this.tileWidth + evenBits(inside),
			y: Math.floor(tile / this.across) * this.tileHeight + evenBits(inside >> 1),
			w: 1 << Math.ceil(order / 2),
			h: 1 << Math.floor(order / 2),
		};
	}

	indexAt(x, y) {
		const tile =
			Math.floor(y / this.tileHeight) * this.across +
			Math.floor(x / this.tileWidth);

		return (
			(tile << this.tileOrder) +
			spread(x % this.tileWidth) +
			2 * spread(y % this.tileHeight)
		);
	}
}

class Rows {
	constructor(pages, width, height) {
		const powers = range(2, Math.max(2, ceilLog2(pages))).map((bits) => 1 << bits);

		this.columns = bestColumns(
			powers,
			width,
			height,
			(columns) => Math.ceil(pages / columns),
			(columns) => columns
		);
		this.rows = Math.ceil(pages / this.columns);
	}

	rectOf(index, order) {
		const size = 1 << order;

		return {
			x: index % this.columns,
			y: Math.floor(index / this.columns),
			w: Math.min(size, this.columns),
			h: Math.max(1, size / this.columns),
		};
	}

	indexAt(x, y) {
		return y * this.columns + x;
	}
}

// @width and @height: the available room, of which only the ratio matters
export function layoutOf(name, pages, width, height) {
	return name === 'rows' ? new Rows(pages, width, height) : new Squares(pages, width, height);
}
