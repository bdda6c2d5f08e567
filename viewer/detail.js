// SPDX-License-Identifier: GPL-2.0-only
//
// Describes the picked page or area: its block and owner, the pair bit at each order with
// its two terms, and its history.

import { FREE, PAGE_SIZE, STATES, TOP } from './replay.js';
import { element, rowOf, tableOf } from './dom.js';
import { brief, plural, sizeText, timeText } from './words.js';

const RULE = 'bit of a pair = (A on the list) XOR (B on the list)';
const BEFORE = 60,
	AFTER = 3;
const MOST_RUNS = 12;

const STATE_WORDS = {
	free: 'on its free list',
	used: 'in use',
	pcp: 'free, on a per-CPU list',
	parked: 'freed, but still referenced',
	hand: 'in hand: taken off its list, not yet handed out',
};

export class Detail {
	// @seek: go to a position; @pick: pick a page; @pickArea: pick the area at an offset
	constructor(recording, { seek, pick, pickArea }) {
		Object.assign(this, { recording, seek, pick, pickArea });
		this.body = element('div');
		this.heading = element('h3', {}, 'Pick a page or an area');
		this.node = element(
			'section',
			{ class: 'card detail', 'aria-label': 'Details of what you picked' },
			this.heading,
			this.body
		);
		this.history = { page: -1, positions: [] };
		this.draw({ selected: -1, area: null });
	}

	draw({ selected, area }) {
		if (selected >= 0) this.drawPage(selected, area);
		else if (area) this.drawArea(area);
		else this.drawNothing();
	}

	title(text, note) {
		this.heading.replaceChildren(text, element('small', {}, note ?? ''));
	}

	drawNothing() {
		this.title('Pick a page or an area');
		this.body.replaceChildren(
			element(
				'p',
				{ class: 'hint' },
				'Click a cell of the chunk to see its block, its owner, the pair bit at each order and its ' +
					'history. Click an area of the window to draw lines to its pages.'
			)
		);
	}

	list(pairs) {
		return element(
			'dl',
			{},
			...pairs
				.filter(([, value]) => value !== '' && value !== null)
				.flatMap(([name, value]) => [
					element('dt', {}, name),
					element('dd', {}, value),
				])
		);
	}

	link(text, act) {
		return element('button', { type: 'button', class: 'link', onclick: act }, text);
	}

	// --- a page --------------------------------------------------------------------------

	drawPage(page, area) {
		const { replay } = this.recording;
		const index = replay.blockOf(page),
			order = replay.order[index];
		const state = STATES[replay.state[index]];

		this.title(
			`Page ${page}`,
			STATE_WORDS[state] +
				(replay.inArea[index] && state === 'used' ? ', by an area' : '')
		);
		this.body.replaceChildren(
			this.list([
				[
					'Block',
					`${index}, order ${order}: ${plural(1 << order, 'page')}`,
				],
				['List', this.listText(index, order, state)],
				['Buddy', this.buddyText(index, order)],
				['Owner', replay.callerOf(index)],
				['Mapped', area ? `at offset ${area.offset}, ${area.type}` : ''],
			]),
			this.bitTable(page, order),
			element('p', { class: 'rule' }, `${RULE}; order ${TOP} has no pairs`),
			this.historyList(page)
		);
	}

	listText(index, order, state) {
		const { replay } = this.recording;

		if (state !== 'free') return '';
		const place = replay.list(order).indexOf(index) + 1;
		return place === 1
			? `head of list ${order}`
			: `number ${place} of ${replay.count[order]} on list ${order}`;
	}

	buddyText(index, order) {
		const { replay } = this.recording;
		const buddy = index ^ (1 << order);

		if (order === TOP) return 'none at the top order';
		if (buddy + (1 << order) > replay.pages) return `${buddy}, beyond the end`;
		const head = replay.blockOf(buddy),
			has = replay.order[head];
		const state = STATES[replay.state[head]];
		return `${buddy}, ${has < order ? 'split' : `${state}, order ${has}`}`;
	}

	bitTable(page, own) {
		const rows = Array.from({ length: TOP }, (_, order) =>
			this.bitRow(page, order, own)
		);

		return tableOf(['order', 'pair', 'A', 'B', 'bit'], rows, { class: 'bits' });
	}

	bitRow(page, order, own) {
		const { replay } = this.recording;
		const a = page & ~((2 << order) - 1);
		const bit = replay.pairBit(page, order);
		const half = (index) => {
			const on = replay.is(index, order, FREE);
			const text = `${index} ${on ? '● on' : '○ off'}`;
			return element('td', { class: on ? 'on' : undefined }, text);
		};
		const box = element('span', { class: bit ? 'one' : 'zero' }, String(bit));
		const row = rowOf(
			element('th', { scope: 'row' }, String(order)),
			page >> (1 + order),
			half(a),
			half(a + (1 << order)),
			element('td', {}, box)
		);

		row.classList.toggle('own', order === own);
		return row;
	}

	// --- its history ---------------------------------------------------------------------

	historyList(page) {
		if (this.history.page !== page)
			this.history = { page, positions: this.recording.historyOf(page) };
		const { positions } = this.history,
			now = this.recording.position;
		const passed = positions.filter((position) => position <= now).length;
		const shown = positions.slice(Math.max(0, passed - BEFORE), passed + AFTER);
		const list = element(
			'ol',
			{ class: 'history', 'aria-label': `Events of page ${page}` },
			...shown
				.reverse()
				.map((position) =>
					this.historyItem(position, positions[passed - 1])
				)
		);

		return element(
			'div',
			{},
			element(
				'h3',
				{},
				'History',
				element('small', {}, plural(positions.length, 'event'))
			),
			list
		);
	}

	historyItem(position, current) {
		const kind =
			position > this.recording.position
				? 'later'
				: position === current
					? 'now'
					: '';
		const event = this.recording.steps[position - 1];

		return element(
			'li',
			{},
			element(
				'button',
				{
					type: 'button',
					class: kind,
					onclick: () => this.seek(position),
					title: `at ${timeText(this.recording.times[position])}`,
				},
				element('b', {}, String(position)),
				` ${event.name}: ${brief(this.recording.steps, position)}`
			)
		);
	}

	// --- an area -------------------------------------------------------------------------

	drawArea(range) {
		const { offset, size, type, pages, huge, runs, caller } = range;
		const guard = type !== 'lazy' && size > pages * PAGE_SIZE;

		this.title(
			type === 'lazy' ? 'Addresses that wait for a purge' : `Area ${type}`,
			`at offset ${offset}`
		);
		this.body.replaceChildren(
			this.list([
				[
					'Size',
					`${sizeText(size)}${guard ? ', with its guard page' : ''}`,
				],
				['Pages', type === 'lazy' ? '' : String(pages)],
				['2 MiB entries', huge ? String(huge) : ''],
				['Owner', caller],
				[
					'Runs',
					runs.length
						? `${runs.length}, each contiguous in the chunk`
						: '',
				],
			]),
			this.runTable(runs)
		);
	}

	runTable(runs) {
		const rows = runs
			.slice(0, MOST_RUNS)
			.map(([offset, page, nr]) =>
				rowOf(offset, nr > 1 ? `${page} to ${page + nr - 1}` : page, nr)
			);

		if (!rows.length)
			return element('p', { class: 'hint' }, 'It maps no pages of the chunk.');
		if (runs.length > MOST_RUNS)
			rows.push(rowOf(`and ${runs.length - MOST_RUNS} more`));
		return tableOf(['offset', 'pages', 'number'], rows, { class: 'bits' });
	}
}
