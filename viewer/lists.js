// SPDX-License-Identifier: GPL-2.0-only
//
// The free lists: for each order the number of blocks, their part of the free pages, and
// the first blocks, head first.

import { ORDERS } from './replay.js';
import { element, setText } from './dom.js';
import { inkOn } from './theme.js';

const ROOM = 31; // characters of heads in a row

// As many of the first blocks as there is room for.
function fitting(list) {
	let room = ROOM;

	return list.filter((index) => (room -= String(index).length + 1) >= 0);
}

export class Lists {
	constructor(recording, select) {
		this.recording = recording;
		this.select = select;
		this.rows = Array.from({ length: ORDERS }, (_, order) => this.row(order));
		this.sum = element('small');
		this.node = element(
			'section',
			{ class: 'card lists', 'aria-label': 'Free lists' },
			element('h3', {}, 'Free lists, heads first', this.sum),
			element(
				'table',
				{},
				element('tbody', {}, ...this.rows.map(({ node }) => node))
			)
		);
	}

	row(order) {
		const badge = element('b', {}, String(order));
		const nr = element('td', { class: 'nr' }),
			bar = element('i');
		const heads = element('td', { class: 'heads' });
		const node = element(
			'tr',
			{},
			element('th', { scope: 'row', 'aria-label': `order ${order}` }, badge),
			nr,
			element('td', { class: 'bar', 'aria-hidden': 'true' }, bar),
			heads
		);

		return { node, badge, nr, bar, heads, shown: '' };
	}

	retheme(theme) {
		this.rows.forEach(({ badge, bar }, order) => {
			badge.style.background = bar.style.background = theme.orders[order];
			badge.style.color = inkOn(theme.orders[order]);
		});
	}

	draw(stepped) {
		const { replay } = this.recording;
		const free = replay.freePages();

		setText(this.sum, `${free} of ${replay.pages} pages`);
		this.rows.forEach((row, order) => {
			const nr = replay.count[order];
			setText(row.nr, String(nr));
			row.bar.style.width = `${free ? (100 * nr * (1 << order)) / free : 0}%`;
			this.drawHeads(row, fitting(replay.list(order, ROOM / 2)), nr, stepped);
		});
	}

	// Mark a block that was not at the head before.
	drawHeads(row, list, nr, stepped) {
		const text = `${list} ${nr}`;

		if (text === row.shown && !row.marked) return;
		const before = new Set(row.shown.split(' ')[0].split(','));
		row.heads.replaceChildren(
			...list.map((index, i) =>
				element(
					'button',
					{
						type: 'button',
						class:
							stepped &&
							i === 0 &&
							!before.has(String(index))
								? 'new'
								: undefined,
						tabindex: i ? -1 : 0,
						'aria-label': `block ${index}`,
						onclick: () => this.select(index),
					},
					String(index)
				)
			),
			nr > list.length ? ' …' : ''
		);
		row.marked = row.heads.querySelector('.new') !== null;
		row.shown = text;
	}
}
