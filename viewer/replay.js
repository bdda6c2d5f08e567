// SPDX-License-Identifier: GPL-2.0-only
//
// Replays a pool: starts from the state in a recording's first snapshot, and applies
// each event to it.  It is strict: an event that cannot have happened in the present
// state throws a ReplayError, so that a lost event is noticed and the display is true
// to the pool.  It knows nothing of the screen; the tests use it unchanged.
//
// Between a split and the allocation that it serves, and between a free and its last
// coalesce, a block is in hand: on no list and nobody's.

export const ORDERS = 10;
export const TOP = ORDERS - 1;
export const PAGE_SIZE = 4096;
const NONE = -1;

// The state of the first page of a block; the other pages have TAIL.
export const TAIL = 0;
export const FREE = 1;
export const USED = 2;
export const PCP = 3;
export const PARKED = 4;
export const HAND = 5;

// The names that snapshots use, and one for a state that no snapshot shows.
export const STATES = ['tail', 'free', 'used', 'pcp', 'parked', 'hand'];

export class ReplayError extends Error {
	constructor(message) {
		super(message);
		this.name = 'ReplayError';
	}
}

function refuse(message) {
	throw new ReplayError(message);
}

// A sorted list of numbers as the kernel's %*pbl prints it: '3,7-9'.
export function rangesOf(numbers) {
	const parts = [];

	for (let i = 0; i < numbers.length; ) {
		let end = i;
		while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
		parts.push(end > i ? `${numbers[i]}-${numbers[end]}` : `${numbers[i]}`);
		i = end + 1;
	}
	return parts.join(',');
}

// Join runs of [offset, page, nr] that continue each other.
function joinRuns(runs) {
	const joined = [];

	for (const [offset, page, nr] of runs) {
		const last = joined.at(-1);
		if (last && last[1] + last[2] === page && last[0] + last[2] * PAGE_SIZE === offset)
			last[2] += nr;
		else joined.push([offset, page, nr]);
	}
	return joined;
}

export class Replay {
	constructor(header, snapshot) {
		const { pages } = header;

		if (!Number.isInteger(pages) || pages < 1) refuse(`the header says ${pages} pages`);
		this.pages = pages;
		this.windowSize = header.window;
		this.minFree = snapshot.stats?.min_free_pages ?? 0;
		this.state = new Uint8Array(pages);
		this.order = new Uint8Array(pages);
		this.next = new Int32Array(pages).fill(NONE);
		this.prev = new Int32Array(pages).fill(NONE);
		this.owner = new Int32Array(pages).fill(NONE);
		this.inArea = new Uint8Array(pages);
		this.callers = [];
		this.callerIds = new Map();
		this.load(snapshot);
	}

	// --- from and to a snapshot ----------------------------------------------------------

	load(snapshot) {
		this.head = new Int32Array(ORDERS).fill(NONE);
		this.count = new Int32Array(ORDERS);
		this.hand = null;
		this.merging = false;
		this.splits = 0;
		this.coalesces = 0;
		this.failures = 0;
		this.state.fill(TAIL);
		this.next.fill(NONE);
		this.prev.fill(NONE);
		this.inArea.fill(0);
		for (const block of snapshot.blocks) this.loadBlock(block);
		this.loadLists(snapshot.freelist);
		this.loadWindow(snapshot);
		this.checkCover();
	}

	loadBlock([index, order, state, caller]) {
		const number = STATES.indexOf(state);

		if (number <= TAIL) refuse(`block ${index}: no such state: '${state}'`);
		this.checkBlock(index, order);
		this.mark(index, order, number, caller);
	}

	loadLists(lists) {
		for (let order = 0; order < ORDERS; order++) {
			const list = lists[order] ?? [];
			for (let i = list.length; i-- > 0; ) {
				if (!this.is(list[i], order, FREE))
					refuse(
						`${list[i]} is on the list of order ${order}, but is no such free block`
					);
				this.link(list[i], order);
			}
		}
	}

	loadWindow(snapshot) {
		this.ranges = [];
		for (const [offset, size, type, pages, huge] of snapshot.window)
			if (type !== 'hole')
				this.ranges.push({
					offset,
					size,
					type,
					pages,
					huge: huge ?? 0,
					runs: [],
					caller: '',
				});
		for (const [offset, runs] of snapshot.areas ?? []) {
			const at = this.rangeAt(offset);
			let where = offset;
			if (!at) refuse(`no area at offset ${offset}`);
			for (const [page, nr] of runs) {
				at.runs.push([where, page, nr]);
				where += nr * PAGE_SIZE;
				if (at.type === 'vmalloc') this.inArea.fill(1, page, page + nr);
			}
		}
	}

	// Each page is in one block.
	checkCover() {
		let index = 0;

		while (index < this.pages) {
			if (this.state[index] === TAIL) refuse(`page ${index} is in no block`);
			index += 1 << this.order[index];
		}
	}

	save() {
		const { hand, merging, splits, coalesces, failures } = this;

		return {
			state: this.state.slice(),
			order: this.order.slice(),
			next: this.next.slice(),
			prev: this.prev.slice(),
			owner: this.owner.slice(),
			inArea: this.inArea.slice(),
			head: this.head.slice(),
			count: this.count.slice(),
			ranges: this.ranges.slice(),
			hand,
			merging,
			splits,
			coalesces,
			failures,
		};
	}

	restore(saved) {
		for (const name of [
			'state',
			'order',
			'next',
			'prev',
			'owner',
			'inArea',
			'head',
			'count',
		])
			this[name].set(saved[name]);
		for (const name of ['hand', 'merging', 'splits', 'coalesces', 'failures'])
			this[name] = saved[name];
		this.ranges = saved.ranges.slice();
	}

	// --- blocks and lists ----------------------------------------------------------------

	checkBlock(index, order) {
		if (!Number.isInteger(order) || order < 0 || order > TOP)
			refuse(`no such order: ${order}`);
		if (!Number.isInteger(index) || index < 0 || index + (1 << order) > this.pages)
			refuse(`no such page: ${index}`);
		if (index & ((1 << order) - 1))
			refuse(`page ${index} is not aligned to order ${order}`);
	}

	is(index, order, state) {
		return (
			index >= 0 &&
			index < this.pages &&
			this.state[index] === state &&
			this.order[index] === order
		);
	}

	mark(index, order, state, caller) {
		this.state.fill(TAIL, index, index + (1 << order));
		this.state[index] = state;
		this.order[index] = order;
		this.owner[index] = caller ? this.callerId(caller) : NONE;
	}

	callerId(caller) {
		let id = this.callerIds.get(caller);

		if (id === undefined) {
			id = this.callers.push(caller) - 1;
			this.callerIds.set(caller, id);
		}
		return id;
	}

	link(index, order) {
		const old = this.head[order];

		this.next[index] = old;
		this.prev[index] = NONE;
		if (old !== NONE) this.prev[old] = index;
		this.head[order] = index;
		this.count[order]++;
	}

	unlink(index, order) {
		const next = this.next[index],
			prev = this.prev[index];

		if (prev === NONE) this.head[order] = next;
		else this.next[prev] = next;
		if (next !== NONE) this.prev[next] = prev;
		this.count[order]--;
	}

	// The block on its list that a page is in, as [index, order].
	freeBlockOf(page) {
		const index = this.blockOf(page);

		return this.state[index] === FREE ? [index, this.order[index]] : null;
	}

	// The first page of the block that a page is in.
	blockOf(page) {
		for (let order = 0; order <= TOP; order++) {
			const index = page & ~((1 << order) - 1);
			if (this.state[index] !== TAIL) return index;
		}
		return refuse(`page ${page} is in no block`);
	}

	// --- events --------------------------------------------------------------------------

	apply(event) {
		const handler = this[`on_${event.name}`];

		if (handler) handler.call(this, event);
	}

	// Complete what unrecorded events left undone; call it after the last event.
	finish() {
		if (this.merging) this.mergeUnseen();
		if (this.hand)
			refuse(
				`block ${this.hand.index} of order ${this.hand.order} was taken for nobody`
			);
	}

	describe(index, order) {
		const what =
			index >= 0 && index < this.pages ? STATES[this.state[index]] : 'outside';
		const is =
			what === 'tail' ? 'inside a block' : `${what}, order ${this.order[index]}`;

		return `page ${index} as a block of order ${order}; it is ${is}`;
	}

	expect(index, order, state, doing) {
		this.checkBlock(index, order);
		if (!this.is(index, order, state))
			refuse(`${doing}: ${this.describe(index, order)}, not ${STATES[state]}`);
	}

	// Complete a free whose coalesce events were not recorded at all.  If only one of
	// several is missing, that is an error.
	mergeUnseen() {
		const { index, order } = this.hand;

		if (this.coalesces)
			refuse(`block ${index} of order ${order} did not meet its free buddy`);
		while (this.merging) this.mergeOnce();
	}

	begin(doing) {
		if (this.merging) this.mergeUnseen();
		if (this.hand && doing !== 'split' && doing !== 'take')
			refuse(
				`${doing}: but block ${this.hand.index} of order ${this.hand.order} is in hand`
			);
	}

	on_split({ page, order, kept }) {
		const half = 1 << (order - 1);

		this.begin('split');
		if (order < 1) refuse(`a block of order ${order} cannot be split`);
		this.takeOut(page, order, 'split');
		if (kept !== page && kept !== page + half)
			refuse(`split: ${kept} is no half of block ${page} of order ${order}`);
		this.splits++;
		this.cut(page, order, kept);
	}

	// Take a block in hand: it is there already, or on its list.
	takeOut(index, order, doing) {
		if (this.hand) {
			if (this.hand.index !== index || this.hand.order !== order)
				refuse(
					`${doing}: ${this.describe(index, order)}, but block ${this.hand.index} ` +
						`of order ${this.hand.order} is in hand`
				);
			return;
		}
		this.expect(index, order, FREE, doing);
		this.unlink(index, order);
		this.hold(index, order);
	}

	hold(index, order) {
		this.mark(index, order, HAND);
		this.hand = { index, order };
	}

	cut(page, order, kept) {
		const half = 1 << (order - 1);

		this.mark(kept, order - 1, FREE);
		this.link(kept, order - 1);
		this.hold(kept === page ? page + half : page, order - 1);
	}

	// Take a block off the free lists; split it here if there were no split events.
	take(page, order, doing) {
		this.begin('take');
		this.checkBlock(page, order);
		if (!this.hand && !this.splits) this.cutUnseen(page, order);
		this.takeOut(page, order, doing);
		this.hand = null;
	}

	cutUnseen(page, order) {
		const found = this.freeBlockOf(page);

		if (!found || found[1] <= order) return;
		this.takeOut(found[0], found[1], 'split');
		while (this.hand.order > order) {
			const half = this.hand.index + (1 << (this.hand.order - 1));
			this.cut(
				this.hand.index,
				this.hand.order,
				page < half ? half : this.hand.index
			);
		}
	}

	on_alloc({ page, order, from, kind, caller }) {
		if (page < 0) {
			this.failures++;
			return;
		}
		if (from === 'pcp') this.expect(page, order, PCP, 'alloc from a per-CPU list');
		else this.take(page, order, 'alloc');
		this.mark(page, order, USED, caller);
		this.inArea.fill(kind === 'area' ? 1 : 0, page, page + (1 << order));
	}

	on_free({ page, order, to }) {
		if (to === 'zone') this.begin('free');
		this.expect(page, order, USED, 'free');
		this.inArea.fill(0, page, page + (1 << order));
		if (to === 'pcp') this.mark(page, order, PCP);
		else if (to === 'parked') this.mark(page, order, PARKED);
		else this.putBack(page, order);
	}

	on_recycle({ page, order }) {
		this.begin('recycle');
		this.expect(page, order, PARKED, 'recycle');
		this.putBack(page, order);
	}

	on_pcp_refill({ page, order }) {
		this.take(page, order, 'pcp_refill');
		this.mark(page, order, PCP);
	}

	on_pcp_drain({ page, order }) {
		this.begin('pcp_drain');
		this.expect(page, order, PCP, 'pcp_drain');
		this.putBack(page, order);
	}

	// Put a block on its list, unless its buddy is there: then both wait for the
	// coalesce event.
	putBack(index, order) {
		this.hold(index, order);
		this.settle();
	}

	settle() {
		const { index, order } = this.hand;
		const buddy = index ^ (1 << order);

		this.merging = order < TOP && this.is(buddy, order, FREE);
		if (this.merging) return;
		this.mark(index, order, FREE);
		this.link(index, order);
		this.hand = null;
	}

	mergeOnce() {
		const { index, order } = this.hand;
		const buddy = index ^ (1 << order);

		this.unlink(buddy, order);
		this.hold(Math.min(index, buddy), order + 1);
		this.settle();
	}

	on_coalesce({ page, order, buddy }) {
		if (!this.merging)
			refuse(
				`coalesce: ${this.describe(page, order)}, and has no free buddy to meet`
			);
		if (
			this.hand.index !== page ||
			this.hand.order !== order ||
			buddy !== (page ^ (1 << order))
		)
			refuse(
				`coalesce: block ${page} of order ${order} and ${buddy}, but block ` +
					`${this.hand.index} of order ${this.hand.order} is in hand`
			);
		this.coalesces++;
		this.mergeOnce();
	}

	on_split_page({ page, order }) {
		this.expect(page, order, USED, 'split_page');
		const owner = this.owner[page];
		for (let i = page; i < page + (1 << order); i++) {
			this.state[i] = USED;
			this.order[i] = 0;
			this.owner[i] = owner;
		}
	}

	// --- the window ----------------------------------------------------------------------

	// The number of ranges that begin below this offset.
	rangesBelow(offset) {
		let low = 0,
			high = this.ranges.length;

		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.ranges[middle].offset < offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	rangeAt(offset) {
		const range = this.ranges[this.rangesBelow(offset)];

		return range?.offset === offset ? range : undefined;
	}

	// The area or lazy range that an offset is in.
	rangeOver(offset) {
		const range = this.ranges[this.rangesBelow(offset + 1) - 1];

		return range && offset < range.offset + range.size ? range : undefined;
	}

	on_vmalloc({ offset, size, kind, huge, caller }) {
		const at = this.rangesBelow(offset);
		const above = this.ranges[at],
			below = this.ranges[at - 1];
		const guard = kind === 'map_ram' ? 0 : 1;

		if (!['vmalloc', 'vmap', 'ioremap', 'map_ram'].includes(kind))
			refuse(`vmalloc: no such kind of area: '${kind}'`);
		if (offset < 0 || offset + size > this.windowSize)
			refuse(`vmalloc: ${offset}+${size} is outside of the window`);
		if (
			(below && below.offset + below.size > offset) ||
			(above && above.offset < offset + size)
		)
			refuse(`vmalloc: ${offset}+${size} is not a hole`);
		this.ranges.splice(at, 0, {
			offset,
			size,
			type: kind === 'map_ram' ? 'vmap' : kind,
			pages: size / PAGE_SIZE - guard,
			huge: huge ?? 0,
			runs: [],
			caller: caller ?? '',
		});
	}

	on_map({ offset, page, nr }) {
		const range = this.rangeOver(offset);

		if (!range || range.type === 'lazy') refuse(`map: no area at offset ${offset}`);
		if (offset + nr * PAGE_SIZE > range.offset + range.size)
			refuse(`map: ${nr} pages at offset ${offset} do not fit into the area`);
		if (page < 0 || page + nr > this.pages) refuse(`map: no such pages: ${page}+${nr}`);
		this.ranges[this.rangesBelow(range.offset)] = this.mapped(range, offset, page, nr);
	}

	// Make a new record, because saved states share the old one.
	mapped(range, offset, page, nr) {
		const end = offset + nr * PAGE_SIZE;
		const others = range.runs.filter(
			([at, , n]) => at + n * PAGE_SIZE <= offset || at >= end
		);
		const last = others.at(-1);
		const runs = [...others, [offset, page, nr]];

		if (last && last[0] > offset) runs.sort((a, b) => a[0] - b[0]);
		return { ...range, runs: joinRuns(runs) };
	}

	on_vfree({ offset, size, lazy }) {
		const at = this.rangesBelow(offset),
			range = this.ranges[at];

		if (range?.offset !== offset || range.type === 'lazy')
			refuse(`vfree: no area at offset ${offset}`);
		if (range.size !== size)
			refuse(
				`vfree: the area at offset ${offset} has ${range.size} bytes, not ${size}`
			);
		if (!lazy) this.ranges.splice(at, 1);
		else this.retire(at);
	}

	// Join neighbours that wait to one range.
	retire(at) {
		const { ranges } = this;
		const touches = (a, b) => a && b && a.offset + a.size === b.offset;
		let first = at,
			last = at;

		if (touches(ranges[at - 1], ranges[at]) && ranges[at - 1].type === 'lazy') first--;
		if (touches(ranges[at], ranges[at + 1]) && ranges[at + 1].type === 'lazy') last++;
		const offset = ranges[first].offset,
			end = ranges[last].offset + ranges[last].size;
		ranges.splice(first, last - first + 1, this.lazyRange(offset, end));
	}

	lazyRange(offset, end) {
		return {
			offset,
			size: end - offset,
			type: 'lazy',
			pages: 0,
			huge: 0,
			runs: [],
			caller: '',
		};
	}

	on_purge({ offset, size }) {
		const range = this.rangeOver(offset),
			end = offset + size;

		if (!range || range.type !== 'lazy' || range.offset + range.size < end)
			refuse(`purge: ${offset}+${size} did not wait`);
		const rest = [];
		if (range.offset < offset) rest.push(this.lazyRange(range.offset, offset));
		if (end < range.offset + range.size)
			rest.push(this.lazyRange(end, range.offset + range.size));
		this.ranges.splice(this.rangesBelow(range.offset), 1, ...rest);
	}

	// --- the state, in the form of a snapshot --------------------------------------------

	freelist() {
		return Array.from({ length: ORDERS }, (_, order) => this.list(order));
	}

	list(order, most = Infinity) {
		const list = [];

		for (let i = this.head[order]; i !== NONE && list.length < most; i = this.next[i])
			list.push(i);
		return list;
	}

	// The bit of the pair that the block (index, order) would be in: A on list XOR B on list.
	pairBit(index, order) {
		const first = index & ~((2 << order) - 1);

		return (
			Number(this.is(first, order, FREE)) ^
			Number(this.is(first + (1 << order), order, FREE))
		);
	}

	pairmap() {
		return Array.from({ length: TOP }, (_, order) => {
			const pairs = this.list(order).filter((index) =>
				this.pairBit(index, order)
			);
			return rangesOf(
				pairs.map((index) => index >> (1 + order)).sort((a, b) => a - b)
			);
		});
	}

	blocks() {
		const blocks = [];

		for (let i = 0; i < this.pages; i += 1 << this.order[i])
			blocks.push([i, this.order[i], STATES[this.state[i]], this.callerOf(i)]);
		return blocks;
	}

	callerOf(index) {
		return this.owner[index] === NONE ? '' : this.callers[this.owner[index]];
	}

	window() {
		const lines = [];
		let end = 0;

		for (const { offset, size, type, pages, huge } of this.ranges) {
			if (offset > end) lines.push([end, offset - end, 'hole', 0, 0]);
			lines.push([offset, size, type, pages, huge]);
			end = offset + size;
		}
		if (end < this.windowSize) lines.push([end, this.windowSize - end, 'hole', 0, 0]);
		return lines;
	}

	areas() {
		return this.ranges
			.filter((range) => range.runs.length > 0)
			.map(({ offset, runs }) => [
				offset,
				runs.map(([, page, nr]) => [page, nr]),
			]);
	}

	freePages() {
		return this.count.reduce((sum, nr, order) => sum + nr * (1 << order), 0);
	}

	unusable() {
		return unusableOf(this.count);
	}

	// The first difference from a snapshot, in words; null if there is none.
	difference(snapshot) {
		return (
			firstDifference('freelist', this.freelist(), snapshot.freelist) ??
			firstDifference('pairmap', this.pairmap(), snapshot.pairmap) ??
			firstDifference(
				'blocks',
				this.blocks().map(withoutCaller),
				snapshot.blocks.map(withoutCaller)
			) ??
			firstDifference('window', this.window(), snapshot.window)
		);
	}
}

// mm/vmstat.c's unusable free space index: the part of the free pages in blocks that are
// too small, for each order; 0 if nothing is free.
export function unusableOf(count) {
	const index = [];
	let free = 0,
		small = 0;

	for (let order = 0; order < ORDERS; order++) free += count[order] * (1 << order);
	for (let order = 0; order < ORDERS; order++) {
		index.push(free ? small / free : 0);
		small += count[order] * (1 << order);
	}
	return index;
}

function withoutCaller(block) {
	return block.slice(0, 3);
}

function firstDifference(what, got, expected) {
	const length = Math.max(got.length, expected.length);

	for (let i = 0; i < length; i++) {
		const [a, b] = [JSON.stringify(got[i]), JSON.stringify(expected[i])];
		if (a !== b) return `${what}[${i}] is ${a}, the snapshot has ${b}`;
	}
	return null;
}
