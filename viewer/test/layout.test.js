// SPDX-License-Identifier: GPL-2.0-only
//
// Layouts: each block is one rectangle, buddies are its halves, and a place leads back
// to its page.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { LAYOUTS, layoutOf } from '../layout.js';
import { THEMES } from '../theme.js';

const SIZES = [
	[16, 300, 300],
	[100, 300, 200],
	[512, 800, 300],
	[2048, 876, 355],
	[16384, 1300, 500],
	[1000, 100, 900],
];

for (const name of LAYOUTS)
	test(`${name}: place and page are each other's inverse`, () => {
		for (const [pages, width, height] of SIZES) {
			const layout = layoutOf(name, pages, width, height),
				seen = new Set();
			for (let page = 0; page < pages; page++) {
				const { x, y, w, h } = layout.rectOf(page, 0);
				assert.deepEqual([w, h], [1, 1]);
				assert.ok(
					x >= 0 && x < layout.columns && y >= 0 && y < layout.rows
				);
				assert.equal(layout.indexAt(x, y), page);
				seen.add(`${x},${y}`);
			}
			assert.equal(seen.size, pages);
		}
	});

for (const name of LAYOUTS)
	test(`${name}: a block is one rectangle, its halves are buddies`, () => {
		const layout = layoutOf(name, 2048, 876, 355);
		for (let order = 1; order <= 9; order++)
			for (let index = 0; index < 2048; index += 1 << order) {
				const whole = layout.rectOf(index, order);
				const [a, b] = [index, index + (1 << (order - 1))].map((half) =>
					layout.rectOf(half, order - 1)
				);
				assert.equal(whole.w * whole.h, 1 << order);
				assert.deepEqual([a.x, a.y], [whole.x, whole.y]);
				assert.ok(
					(b.x === a.x + a.w &&
						b.y === a.y &&
						a.w + b.w === whole.w) ||
						(b.y === a.y + a.h &&
							b.x === a.x &&
							a.h + b.h === whole.h) ||
						(name === 'rows' && b.y === a.y + a.h)
				);
			}
	});

function lightness(colour) {
	const [r, g, b] = [1, 3, 5]
		.map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
		.map((value) =>
			value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
		);

	return 116 * Math.cbrt(0.2126 * r + 0.7152 * g + 0.0722 * b) - 16;
}

test('orders are told apart by lightness alone, which grows or falls all the way', () => {
	for (const [name, { orders }] of Object.entries(THEMES)) {
		const steps = orders
			.slice(1)
			.map((colour, i) => lightness(colour) - lightness(orders[i]));
		const sign = Math.sign(steps[0]);
		assert.ok(
			steps.every((step) => step * sign >= 3),
			`${name}: ${steps.map((step) => step.toFixed(1))}`
		);
	}
});

test('text has enough contrast with the ground', () => {
	const luminance = (colour) => ((lightness(colour) + 16) / 116) ** 3;
	const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

	for (const { ground, panel, ink, faint } of Object.values(THEMES))
		for (const under of [ground, panel]) {
			assert.ok(contrast(luminance(ink), luminance(under)) >= 7);
			assert.ok(contrast(luminance(faint), luminance(under)) >= 4.5);
		}
});
