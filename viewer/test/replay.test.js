// SPDX-License-Identifier: GPL-2.0-only
//
// Histories of the naive model, replayed, must give the state that the model ended
// in; histories with a fault must be refused.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Replay, ReplayError, rangesOf, unusableOf } from '../replay.js';
import { parseRecording } from '../format.js';
import { Pool, randomFrom, randomRecording } from './pool.js';

const SETTINGS = [
	{ era: '2.4' },
	{ era: '2.4', expand: 'lower' },
	{ era: '2.6' },
	{ era: 'modern' },
	{ era: '2.4', placement: 'packed' },
	{ era: '2.4', pages: 1000 },
	{ era: '2.6', pages: 16 },
	{ era: '2.6', pages: 600, window: 128 * 4096 },
];

function replayed(text, change = (events) => events) {
	const { header, records } = parseRecording(text);
	const replay = new Replay(header, records[0]);

	for (const event of change(records.filter((record) => record.type === 'event')))
		replay.apply(event);
	replay.finish();
	return { replay, last: records.at(-1) };
}

for (const setting of SETTINGS) {
	test(`a random history replays to its end: ${JSON.stringify(setting)}`, () => {
		for (let seed = 1; seed <= 8; seed++) {
			const { replay, last } = replayed(
				randomRecording({ seed, events: 1500, ...setting })
			);
			assert.equal(replay.difference(last), null, `seed ${seed}`);
			assert.deepEqual(replay.areas(), last.areas, `seed ${seed}`);
			assert.deepEqual(
				replay.blocks(),
				last.blocks.map(([index, order, state, caller]) => [
					index,
					order,
					state,
					state === 'used' ? caller : '',
				]),
				`seed ${seed}`
			);
		}
	});
}

test('an event that is missing is noticed', () => {
	const text = randomRecording({ seed: 5, events: 3000, era: '2.6' });
	const names = [
		'alloc',
		'free',
		'split',
		'coalesce',
		'recycle',
		'pcp_refill',
		'pcp_drain',
		'vmalloc',
		'vfree',
		'purge',
		'split_page',
	];

	for (const name of names) {
		const without = (events) => {
			const those = events.filter((event) => event.name === name);
			assert.ok(those.length > 0, `no ${name}`);
			return events.filter((event) => event !== those[those.length >> 1]);
		};
		let noticed = false;
		try {
			const { replay, last } = replayed(text, without);
			noticed = replay.difference(last) !== null;
		} catch (error) {
			assert.ok(error instanceof ReplayError, error.stack);
			noticed = true;
		}
		assert.ok(noticed, `${name} was not missed`);
	}
});

test('without any split and coalesce events they are implied', () => {
	const text = randomRecording({ seed: 9, events: 2000, era: '2.4' });
	const { replay, last } = replayed(text, (events) =>
		events.filter((event) => event.name !== 'split' && event.name !== 'coalesce')
	);

	assert.equal(replay.difference(last), null);
});

test('a saved state comes back exactly', () => {
	const { header, records } = parseRecording(
		randomRecording({ seed: 3, events: 2000, era: '2.6' })
	);
	const events = records.filter((record) => record.type === 'event');
	const replay = new Replay(header, records[0]);
	const state = () =>
		JSON.stringify([
			replay.freelist(),
			replay.blocks(),
			replay.window(),
			replay.areas(),
		]);

	events.slice(0, 700).forEach((event) => replay.apply(event));
	const saved = replay.save(),
		before = state();
	events.slice(700).forEach((event) => replay.apply(event));
	assert.notEqual(state(), before);
	replay.restore(saved);
	assert.equal(state(), before);
	events.slice(700).forEach((event) => replay.apply(event));
	assert.equal(replay.difference(records.at(-1)), null);
});

test('the first page of era=2.4 is 2047, after nine splits', () => {
	const pool = new Pool({ pages: 2048 });

	assert.equal(pool.alloc(0), 2047);
	const { replay } = replayed(pool.finish());
	assert.deepEqual(replay.freelist(), [
		[2046],
		[2044],
		[2040],
		[2032],
		[2016],
		[1984],
		[1920],
		[1792],
		[1536],
		[1024, 512, 0],
	]);
	assert.deepEqual(replay.pairmap(), [
		'1023',
		'511',
		'255',
		'127',
		'63',
		'31',
		'15',
		'7',
		'3',
	]);
	assert.equal(replay.pairBit(2047, 0), 1);
	assert.equal(replay.pairBit(0, 0), 0);
});

test('the unusable index is that of mm/vmstat.c', () => {
	assert.deepEqual(unusableOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Array(10).fill(0));
	assert.deepEqual(unusableOf([2, 1, 1, 0, 0, 0, 0, 0, 0, 0]), [
		0,
		0.25,
		0.5,
		...Array(7).fill(1),
	]);
});

test('ranges are printed as the kernel prints them', () => {
	assert.equal(rangesOf([]), '');
	assert.equal(rangesOf([3, 7, 8, 9, 11]), '3,7-9,11');
});

test('what cannot be is refused, in words', () => {
	const { header, records } = parseRecording(new Pool({ pages: 1024 }).finish());
	const cases = [
		[
			{ name: 'free', page: 5, order: 0, to: 'zone' },
			/free: page 5 as a block of order 0; it is inside a block, not used/,
		],
		[
			{ name: 'alloc', page: 512, order: 9, from: 'pcp' },
			/it is free, order 9, not pcp/,
		],
		[
			{ name: 'alloc', page: 3, order: 1, from: 'zone' },
			/page 3 is not aligned to order 1/,
		],
		[{ name: 'alloc', page: 1024, order: 0, from: 'zone' }, /no such page: 1024/],
		[{ name: 'split', page: 512, order: 9, kept: 100 }, /100 is no half of block 512/],
		[
			{ name: 'split', page: 512, order: 8, kept: 512 },
			/it is free, order 9, not free/,
		],
		[{ name: 'coalesce', page: 0, order: 9, buddy: 512 }, /no free buddy/],
		[{ name: 'vfree', offset: 0, size: 8192, lazy: 0 }, /no area at offset 0/],
		[{ name: 'purge', offset: 0, size: 8192 }, /did not wait/],
		[{ name: 'map', offset: 0, page: 0, nr: 1 }, /no area at offset 0/],
		[
			{
				name: 'vmalloc',
				offset: header.window,
				size: 8192,
				kind: 'vmalloc',
				pages: 1,
			},
			/outside of the window/,
		],
	];

	for (const [event, message] of cases)
		assert.throws(() => new Replay(header, records[0]).apply(event), {
			name: 'ReplayError',
			message,
		});
});

test('a snapshot that contradicts itself is refused', () => {
	const { header, records } = parseRecording(new Pool({ pages: 1024 }).finish());
	const good = records[0];

	assert.throws(
		() => new Replay(header, { ...good, blocks: good.blocks.slice(1) }),
		/no such free block/
	);
	assert.throws(
		() => new Replay(header, { ...good, freelist: [[3], ...good.freelist.slice(1)] }),
		/3 is on the list of order 0/
	);
});

test('the generator repeats', () => {
	assert.equal(
		randomRecording({ seed: 2, events: 50 }),
		randomRecording({ seed: 2, events: 50 })
	);
	assert.notEqual(randomFrom(1)(), randomFrom(2)());
});
