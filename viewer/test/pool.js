// SPDX-License-Identifier: GPL-2.0-only
//
// A naive model of a pool that writes a recording of what it does: lists are arrays,
// the pair bits are bits that are flipped as the kernel flips them, and buddies meet
// because of them.  It shares nothing with replay.js but the numbers of orders, so
// that one is checked against the other.

const ORDERS = 10;
const TOP = ORDERS - 1;
const PAGE = 4096;
const GUARD = PAGE;

// A generator of numbers from 0 to 1, always the same for a seed.
export function randomFrom(seed) {
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const ERAS = {
	2.4: { expand: 'upper', pcp: '0', search: 'linear', purge: 'eager', placement: 'lifo' },
	2.6: { expand: 'lower', pcp: '1', search: 'linear', purge: 'lazy', placement: 'lifo' },
	modern: { expand: 'lower', pcp: '1', search: 'tree', purge: 'lazy', placement: 'lifo' },
};

function rangesText(bits) {
	const set = [...bits.keys()].filter((pair) => bits[pair]);
	let text = '';

	set.forEach((pair, i) => {
		const begins = set[i - 1] !== pair - 1,
			ends = set[i + 1] !== pair + 1;
		if (begins) text += `${text && ','}${pair}`;
		else if (ends) text += `-${pair}`;
	});
	return text;
}

export class Pool {
	constructor({
		pages = 2048,
		window = pages * 4 * PAGE,
		era = '2.4',
		title = '',
		...params
	} = {}) {
		this.params = { era, min_free: '0', ...ERAS[era], ...params };
		this.minFree = Number(this.params.min_free);
		this.pages = pages;
		this.windowSize = window;
		this.lists = Array.from({ length: ORDERS }, () => []);
		this.bits = Array.from(
			{ length: TOP },
			(_, order) => new Uint8Array(Math.ceil(pages / (2 << order)))
		);
		this.held = new Map(); // block -> { order, state, caller }
		this.cache = []; // per-CPU list, the block to take next last
		this.areas = []; // by offset; lazy ones among them
		this.clock = 0;
		this.comm = 'sh';
		this.lines = [];
		this.quiet = true;
		this.populate();
		this.quiet = false;
		this.lines.push({
			type: 'header',
			format: 'pocketmm-recording',
			version: 1,
			mode: 'trace',
			title,
			kernel: '6.12-model',
			cpus: 1,
			clock: 'global',
			pages,
			window,
			params: this.params,
		});
		this.snapshot();
	}

	// As at load: pages are freed one by one, in ascending order.
	populate() {
		for (let index = 0; index < this.pages; index++) this.coalesce(index, 0);
	}

	emit(name, fields) {
		if (this.quiet) return;
		this.clock += 3 + (this.lines.length % 5);
		this.lines.push({
			type: 'event',
			t: this.clock,
			cpu: 0,
			pid: 100,
			comm: this.comm,
			name,
			...fields,
		});
	}

	mark(text) {
		this.clock += 500;
		this.lines.push({ type: 'mark', t: this.clock, text });
	}

	wait(usecs) {
		this.clock += usecs;
	}

	// --- the buddy allocator -------------------------------------------------------------

	flip(index, order) {
		if (order === TOP) return 0;
		const pair = index >> (1 + order),
			was = this.bits[order][pair];
		this.bits[order][pair] = was ^ 1;
		return was;
	}

	coalesce(index, order) {
		while (order < TOP && this.flip(index, order)) {
			const buddy = index ^ (1 << order);
			this.lists[order] = this.lists[order].filter((block) => block !== buddy);
			this.emit('coalesce', { page: index, order, buddy });
			index &= buddy;
			order++;
		}
		this.lists[order].unshift(index);
	}

	// The head of the first list; with placement=packed, of the fullest block of 512.
	pick(order) {
		for (let high = order; high < ORDERS; high++)
			if (this.lists[high].length > 0)
				return this.params.placement === 'packed'
					? this.fullest(order)
					: [this.lists[high][0], high];
		return null;
	}

	fullest(order) {
		let best = null,
			least = Infinity;

		for (let high = order; high < ORDERS; high++)
			for (const block of this.lists[high]) {
				const free = this.freeIn(block >> TOP);
				if (free < least) [best, least] = [[block, high], free];
			}
		return best;
	}

	freePages() {
		return this.lists.reduce((sum, list, order) => sum + (list.length << order), 0);
	}

	freeIn(tile) {
		let free = 0;

		this.lists.forEach((list, order) =>
			list.forEach((block) => {
				free += block >> TOP === tile ? 1 << order : 0;
			})
		);
		return free;
	}

	take(order) {
		const picked = this.pick(order);

		if (!picked || this.freePages() < (1 << order) + this.minFree) return -1;
		let [index, high] = picked;
		this.lists[high].splice(this.lists[high].indexOf(index), 1);
		this.flip(index, high);
		while (high > order) {
			const half = 1 << (high - 1),
				upper = this.params.expand === 'upper';
			const kept = upper ? index : index + half;
			this.flip(index, high - 1);
			this.lists[high - 1].unshift(kept);
			this.emit('split', { page: index, order: high, kept });
			index = upper ? index + half : index;
			high--;
		}
		return index;
	}

	refill() {
		for (let i = 0; i < 8; i++) {
			const page = this.take(0);
			if (page < 0) return;
			this.cache.unshift(page);
			this.held.set(page, { order: 0, state: 'pcp', caller: '' });
			this.emit('pcp_refill', { cpu: 0, page, order: 0 });
		}
	}

	drain(nr = this.cache.length) {
		for (const page of this.cache.splice(0, nr)) {
			this.held.delete(page);
			this.emit('pcp_drain', { cpu: 0, page, order: 0 });
			this.coalesce(page, 0);
		}
	}

	alloc(order, caller = 'model_alloc+0x10', kind = 'page') {
		const cached = order === 0 && this.params.pcp === '1';
		if (cached && this.cache.length === 0) this.refill();
		let page = cached ? (this.cache.pop() ?? -1) : this.take(order);
		let from = cached ? 'pcp' : 'zone';
		if (page < 0 && this.cache.length > 0) {
			this.drain();
			page = this.take(order);
		}
		if (page < 0) from = 'none';
		else this.held.set(page, { order, state: 'used', caller });
		this.emit('alloc', {
			page,
			pfn: page < 0 ? '0x0' : `0x${(0x3d000 + page).toString(16)}`,
			order,
			kind,
			from,
			gfp_flags: 'GFP_KERNEL',
			caller,
		});
		return page;
	}

	free(page, kind = 'page') {
		const { order, caller } = this.held.get(page);
		const cached = order === 0 && this.params.pcp === '1';

		this.held.delete(page);
		this.emit('free', {
			page,
			pfn: `0x${(0x3d000 + page).toString(16)}`,
			order,
			kind,
			to: cached ? 'pcp' : 'zone',
			caller,
		});
		if (!cached) {
			this.coalesce(page, order);
			return;
		}
		this.held.set(page, { order, state: 'pcp', caller: '' });
		this.cache.push(page);
		if (this.cache.length > 24) this.drain(16);
	}

	// Freed while somebody else refers to it, and when he no longer does.
	park(page) {
		const block = this.held.get(page);

		block.state = 'parked';
		block.caller = '';
		this.emit('free', {
			page,
			pfn: '0x0',
			order: block.order,
			kind: 'page',
			to: 'parked',
			caller: 'model_put',
		});
	}

	recycle(page) {
		const { order } = this.held.get(page);

		this.held.delete(page);
		this.emit('recycle', { page, order });
		this.coalesce(page, order);
	}

	splitPage(page) {
		const block = this.held.get(page);

		for (let i = 0; i < 1 << block.order; i++)
			this.held.set(page + i, { ...block, order: 0 });
		this.emit('split_page', { page, order: block.order });
	}

	// --- the window ----------------------------------------------------------------------

	hole(size) {
		let end = 0,
			at = 0;

		for (; at < this.areas.length; at++) {
			if (this.areas[at].offset - end >= size) break;
			end = this.areas[at].offset + this.areas[at].size;
		}
		return this.windowSize - end >= size ? [end, at] : null;
	}

	reserve(size, type, pages, caller) {
		const found = this.hole(size) ?? (this.purge('lazy'), this.hole(size));

		if (!found) return null;
		const area = { offset: found[0], size, type, pages, runs: [], caller };
		this.areas.splice(found[1], 0, area);
		this.emit('vmalloc', {
			offset: area.offset,
			size,
			kind: type,
			pages,
			huge: 0,
			caller,
		});
		return area;
	}

	map(area, pages) {
		pages.forEach((page) => {
			const last = area.runs.at(-1);
			if (last && last[0] + last[1] === page) last[1]++;
			else area.runs.push([page, 1]);
		});
		let offset = area.offset;
		for (const [page, nr] of area.runs) {
			this.emit('map', { offset, page, nr });
			offset += nr * PAGE;
		}
	}

	vmalloc(nr, caller = 'model_vmalloc+0x20') {
		const area = this.reserve(nr * PAGE + GUARD, 'vmalloc', nr, caller);
		const pages = [];

		if (!area) return null;
		while (pages.length < nr) {
			const page = this.alloc(0, caller, 'area');
			if (page < 0) {
				pages.forEach((each) => this.free(each, 'area'));
				this.unlink(area, false);
				return null;
			}
			pages.push(page);
		}
		area.own = pages;
		this.map(area, pages);
		return area;
	}

	vmap(blocks, caller = 'model_vmap+0x30') {
		const pages = blocks.flatMap((block) =>
			Array.from({ length: 1 << this.held.get(block).order }, (_, i) => block + i)
		);
		const area = this.reserve(
			pages.length * PAGE + GUARD,
			'vmap',
			pages.length,
			caller
		);

		if (area) this.map(area, pages);
		return area;
	}

	unlink(area, lazy) {
		const at = this.areas.indexOf(area);

		this.emit('vfree', { offset: area.offset, size: area.size, lazy: lazy ? 1 : 0 });
		if (!lazy) this.areas.splice(at, 1);
		else this.retire(at);
	}

	retire(at) {
		const { offset, size } = this.areas[at];

		this.areas[at] = { offset, size, type: 'lazy', pages: 0, runs: [] };
		for (const i of [at, at - 1]) {
			const [a, b] = [this.areas[i], this.areas[i + 1]];
			if (
				a?.type === 'lazy' &&
				b?.type === 'lazy' &&
				a.offset + a.size === b.offset
			) {
				a.size += b.size;
				this.areas.splice(i + 1, 1);
			}
		}
	}

	vfree(area) {
		const lazy = this.params.purge === 'lazy';

		if (!lazy) this.emit('flush', { reason: 'eager', bytes: area.size });
		this.unlink(area, lazy);
		for (const page of area.own ?? []) this.free(page, 'area');
	}

	purge(reason = 'command') {
		const waiting = this.areas.filter((area) => area.type === 'lazy');

		if (waiting.length)
			this.emit('flush', {
				reason,
				bytes: waiting.reduce((sum, area) => sum + area.size, 0),
			});
		for (const { offset, size } of waiting) this.emit('purge', { offset, size });
		this.areas = this.areas.filter((area) => area.type !== 'lazy');
	}

	// --- what debugfs would show ---------------------------------------------------------

	blocks() {
		const blocks = [...this.held].map(([index, block]) => [
			index,
			block.order,
			block.state,
			block.caller,
		]);

		this.lists.forEach((list, order) =>
			list.forEach((index) => blocks.push([index, order, 'free', '']))
		);
		return blocks.sort((a, b) => a[0] - b[0]);
	}

	window() {
		const lines = [];
		let end = 0;

		const hole = (to) => to > end && lines.push([end, to - end, 'hole', 0, 0]);
		for (const { offset, size, type, pages } of this.areas) {
			hole(offset);
			lines.push([offset, size, type, pages, 0]);
			end = offset + size;
		}
		hole(this.windowSize);
		return lines;
	}

	snapshot() {
		this.clock += this.lines.length > 1 ? 50 : 0;
		this.lines.push({
			type: 'snapshot',
			t: this.clock,
			freelist: structuredClone(this.lists),
			pairmap: this.bits.map(rangesText),
			blocks: this.blocks(),
			window: this.window(),
			areas: this.areas
				.filter((area) => area.runs.length > 0)
				.map(({ offset, runs }) => [offset, structuredClone(runs)]),
			unusable: [],
			stats: { min_free_pages: this.minFree },
		});
	}

	// The recording as text.
	finish() {
		this.snapshot();
		const events = this.lines.filter((line) => line.type === 'event').length;
		this.lines.push({ type: 'end', t: this.clock, events, lost: 0 });
		return this.lines.map((line) => JSON.stringify(line)).join('\n') + '\n';
	}
}

// --- a random history ------------------------------------------------------------------------

function pickFrom(list, random) {
	return list.splice(Math.floor(random() * list.length), 1)[0];
}

// One of what may happen; what is held is a list of { kind, page | area, order }.
function step(pool, held, random) {
	const dice = random();
	const full = held.pages > pool.pages * 0.8;

	if (dice < 0.4 && !full) {
		const order = Math.floor(random() * random() * ORDERS);
		const page = pool.alloc(order);
		if (page >= 0) {
			held.blocks.push(page);
			held.pages += 1 << order;
		}
	} else if (dice < 0.5 && !full) {
		const area = pool.vmalloc(1 + Math.floor(random() * 24));
		if (area) {
			held.areas.push(area);
			held.pages += area.pages;
		}
	} else if (dice < 0.92 && held.blocks.length) {
		giveBack(pool, held, random);
	} else if (dice < 0.99 && held.areas.length) {
		const area = pickFrom(held.areas, random);
		held.pages -= area.pages;
		pool.vfree(area);
	} else if (dice >= 0.99) {
		random() < 0.5 ? pool.drain() : pool.purge();
	}
}

function giveBack(pool, held, random) {
	const page = pickFrom(held.blocks, random);
	const { order, state } = pool.held.get(page);

	held.pages -= 1 << order;
	if (state === 'parked') pool.recycle(page);
	else if (random() < 0.02 && order > 0) splitHeld(pool, held, page, order);
	else if (random() < 0.03) parkHeld(pool, held, page, order);
	else pool.free(page);
}

function splitHeld(pool, held, page, order) {
	pool.splitPage(page);
	for (let i = 0; i < 1 << order; i++) held.blocks.push(page + i);
	held.pages += 1 << order;
}

function parkHeld(pool, held, page, order) {
	pool.park(page);
	held.blocks.push(page);
	held.pages += 1 << order;
}

// A recording of at least so many events.
export function randomRecording({ seed = 1, events = 1000, marks = 0, ...parameters } = {}) {
	const random = randomFrom(seed);
	const pool = new Pool(parameters);
	const held = { blocks: [], areas: [], pages: 0 };
	let said = 0;

	while (pool.lines.length < events + 2) {
		step(pool, held, random);
		if (
			marks &&
			pool.lines.length > ((said + 1) * events) / (marks + 1) &&
			said < marks
		)
			pool.mark(`part ${++said} of ${marks}`);
	}
	return pool.finish();
}

// Three snapshots: nothing taken, a block of order 3, nothing again.
export function snapshotRecording() {
	const pool = new Pool({ pages: 2048, title: 'snapshots' });
	const page = pool.alloc(3);

	pool.snapshot();
	pool.free(page);
	const lines = pool
		.finish()
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line))
		.filter(({ type }) => type !== 'event');
	lines[0].mode = 'snapshots';
	lines.splice(-1, 0, { type: 'mark', t: lines.at(-1).t, text: 'done' });
	lines.at(-1).events = 0;
	return lines.map((line) => JSON.stringify(line)).join('\n');
}
