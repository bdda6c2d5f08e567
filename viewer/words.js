// SPDX-License-Identifier: GPL-2.0-only
//
// Says in one sentence what a step did, in the book's words.

import { FREE, HAND, PARKED, PCP, TAIL, TOP, USED } from './replay.js';

const NUMBERS = [
	'no times',
	'once',
	'twice',
	'three times',
	'four times',
	'five times',
	'six times',
	'seven times',
	'eight times',
	'nine times',
];

export function sizeText(bytes) {
	for (const [unit, size] of [
		['GiB', 2 ** 30],
		['MiB', 2 ** 20],
		['KiB', 1024],
	])
		if (bytes >= size)
			return `${Number((bytes / size).toFixed(bytes % size ? 1 : 0))} ${unit}`;
	return `${bytes} bytes`;
}

export function timeText(usecs) {
	if (usecs >= 1e6) return `${(usecs / 1e6).toFixed(3)} s`;
	return usecs >= 1000 ? `${(usecs / 1000).toFixed(3)} ms` : `${Math.round(usecs)} µs`;
}

export function plural(count, what) {
	return `${count} ${what}${count === 1 ? '' : 's'}`;
}

// 'page 5' or 'block 8 of order 3'.
export function blockText(page, order) {
	return order === 0 ? `page ${page}` : `block ${page} of order ${order}`;
}

function capital(text) {
	return text[0].toUpperCase() + text.slice(1);
}

// Why a block does not meet its buddy.
function buddyText(replay, page, order) {
	const buddy = page ^ (1 << order);

	if (order === TOP) return 'the top order has no buddies';
	if (buddy >= replay.pages) return `its buddy ${buddy} would lie beyond the end`;
	if (replay.state[buddy] === TAIL) return `its buddy ${buddy} is part of a larger block`;
	if (replay.order[buddy] !== order) return `its buddy ${buddy} is split`;
	return `its buddy ${buddy} is ${
		{
			[USED]: 'in use',
			[PCP]: 'on a per-CPU list',
			[PARKED]: 'parked',
			[HAND]: 'in hand',
		}[replay.state[buddy]] ?? 'not free'
	}`;
}

// Where a block went that was given back.
function placeText(replay, page, order) {
	if (replay.hand)
		return `its buddy ${page ^ (1 << order)} is free too (the pair's bit was 1): they will coalesce`;
	const head = replay.blockOf(page),
		is = replay.order[head];
	if (replay.state[head] !== FREE || is !== order) return 'it coalesces';
	return `${buddyText(replay, page, order)}, so it goes to the head of list ${order}`;
}

// The splits right before a step: the first of them, and their number.
function splitsBefore(steps, position) {
	let first = null,
		count = 0;

	for (let i = position - 2; i >= 0 && steps[i].name === 'split'; i--) {
		first = steps[i];
		count++;
	}
	return { first, count };
}

// Why a request failed.  It is told under the zone's lock when all per-CPU lists have been drained, so the free
// lists at that moment say it: if one has a block for it, only the watermark can have refused.
function failureText(replay, order) {
	const large = replay.count.findIndex((nr, high) => nr > 0 && high >= order);
	const free = replay.freePages(),
		asked = 1 << order;

	if (large < 0) return 'no free block is large enough';
	if (!replay.minFree) return `although block ${replay.list(large, 1)[0]} of order ${large} is free`;
	return (
		`a block of order ${large} is free, but the watermark (min_free, ${plural(replay.minFree, 'page')}) ` +
		`refused: ${plural(free - asked, 'page')} of ${free} would be left`
	);
}

// Which list the block of a step was on.
function listBefore(steps, position) {
	return (splitsBefore(steps, position).first ?? steps[position - 1]).order;
}

function cutText(steps, position) {
	const { first, count } = splitsBefore(steps, position);

	return count
		? `the order-${first.order} block ${first.page} was split ${NUMBERS[count]}`
		: `it came whole from list ${listBefore(steps, position)}`;
}

const WORDS = {
	split: ({ page, order, kept }) => {
		const half = 1 << (order - 1);
		const on = kept === page ? page + half : page;
		return (
			`Block ${page} of order ${order} is split: its ${kept === page ? 'lower' : 'upper'} half ` +
			`${kept} goes to the head of list ${order - 1}, and ${on} is left`
		);
	},
	alloc: ({ page, order, from, kind }, replay, steps, position) => {
		if (page < 0)
			return `A request for order ${order} fails: ${failureText(replay, order)}`;
		const what =
			capital(blockText(page, order)) + (kind === 'area' ? ', for an area,' : '');
		return from === 'pcp'
			? `${what} is handed out from a per-CPU list; no free list is touched`
			: `${what} is handed out: ${cutText(steps, position)}`;
	},
	free: ({ page, order, to }, replay) => {
		const what = capital(blockText(page, order));
		if (to === 'pcp')
			return `${what} is freed to a per-CPU list: it is free, but does not coalesce`;
		if (to === 'parked')
			return `${what} is freed but parked: somebody still holds a reference`;
		return `${what} is freed; ${placeText(replay, page, order)}`;
	},
	recycle: ({ page, order }, replay) =>
		`${capital(blockText(page, order))} was parked and has no references left; ${placeText(replay, page, order)}`,
	coalesce: ({ page, order, buddy }, replay) => {
		const first = Math.min(page, buddy);
		return (
			`${capital(blockText(page, order))} meets its free buddy ${buddy}, which leaves its list: ` +
			`they are block ${first} of order ${order + 1}; ` +
			(replay.hand
				? `its buddy ${first ^ (2 << order)} is free too`
				: placeText(replay, first, order + 1))
		);
	},
	split_page: ({ page, order }) =>
		`Block ${page} of order ${order} becomes ${1 << order} single pages, each freed on its own`,
	pcp_refill: ({ page, order, cpu }, replay, steps, position) =>
		`${capital(blockText(page, order))} goes to CPU ${cpu}'s list: ${cutText(steps, position)}`,
	pcp_drain: ({ page, order, cpu }, replay) =>
		`${capital(blockText(page, order))} leaves CPU ${cpu}'s list; ${placeText(replay, page, order)}`,
	vmalloc: ({ offset, size, kind }) =>
		`An area of ${sizeText(size)} (${kind}${kind === 'map_ram' ? '' : ', with its guard page'}) ` +
		`takes the lowest hole that fits, at offset ${offset}`,
	map: ({ offset, page, nr }) =>
		nr === 1
			? `Page ${page} is mapped at offset ${offset}`
			: `Pages ${page} to ${page + nr - 1} are mapped at offset ${offset}`,
	vfree: ({ offset, size, lazy }) =>
		`The area at offset ${offset} is freed: its ${sizeText(size)} ` +
		(lazy ? 'wait for a purge' : 'become a hole at once'),
	purge: ({ offset, size }) =>
		`Purge: ${sizeText(size)} at offset ${offset} no longer wait and become a hole`,
	flush: ({ reason, bytes }) =>
		`All TLBs are flushed (${reason}), for ${sizeText(bytes ?? 0)} of the window`,
	misuse: ({ what, reason }) => `Refused: ${what}, ${String(reason).replaceAll('_', ' ')}`,
};

// How many blocks differ from the snapshot before.
function changesText(snapshot, before) {
	const known = new Set(before.blocks.map((block) => block.slice(0, 3).join()));
	const changed = snapshot.blocks.filter((block) => !known.has(block.slice(0, 3).join()));

	return changed.length
		? `${plural(changed.length, 'block')} changed since the last`
		: 'nothing changed since the last';
}

function snapshotText({ steps, first, position }) {
	const snapshot = steps[position - 1],
		before = steps[position - 2] ?? first;
	const free = snapshot.freelist.reduce(
		(sum, list, order) => sum + (list.length << order),
		0
	);

	return (
		`Snapshot ${position + 1}: ${plural(free, 'page')} on the free lists, ` +
		`${plural(snapshot.window.filter((range) => !['hole', 'lazy'].includes(range[2])).length, 'area')}; ` +
		changesText(snapshot, before)
	);
}

function stepText(recording) {
	const { step, replay, steps, position } = recording;

	if (step.type === 'snapshot') return snapshotText(recording);
	const words = WORDS[step.name];
	return words ? words(step, replay, steps, position) : `Event ${step.name}`;
}

// What is said of the present position of a recording.  A mark begins before the step that
// follows it: the step that led there belongs to the part before.
export function caption(recording) {
	const { step, replay, position } = recording;
	const mark = recording.markAt(position);

	if (!step)
		return `The beginning: ${plural(replay.freePages(), 'page')} of ${replay.pages} are on the free lists.`;
	return (
		`${stepText(recording)}.` +
		(mark?.position === position ? ` Then mark ${mark.number} begins.` : '')
	);
}

// The step to a position in a few words, for a list of events.
export function brief(steps, position) {
	const { name, page, order, from, to, kept, buddy, offset } = steps[position - 1];
	const list = () => `list ${listBefore(steps, position)}`;
	const detail = {
		alloc: () => `handed out, from ${from === 'pcp' ? 'a per-CPU list' : list()}`,
		free: () =>
			`freed${{ pcp: ' to a per-CPU list', parked: ', but parked' }[to] ?? ''}`,
		split: () => `split of order ${order}, ${kept} kept`,
		coalesce: () => `${page} meets ${buddy}, order ${order}`,
		recycle: () => 'recycled',
		pcp_refill: () => `from ${list()} to a per-CPU list`,
		pcp_drain: () => 'from a per-CPU list',
		split_page: () => `turned into single pages`,
		map: () => `mapped at ${offset}`,
	}[name];

	return detail ? detail() : name;
}
