// SPDX-License-Identifier: GPL-2.0-only
//
// Going to and fro in a recording, marks, two at once, and what is said of a step.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Recording, Sync } from '../recording.js';
import { Replay } from '../replay.js';
import { brief, caption } from '../words.js';
import { Pool, randomRecording, snapshotRecording } from './pool.js';

const stateOf = (replay) =>
	JSON.stringify([replay.freelist(), replay.blocks(), replay.window(), replay.areas()]);

function plain(recording, position) {
	const replay = new Replay(recording.header, recording.first);

	recording.steps.slice(0, position).forEach((event) => replay.apply(event));
	return stateOf(replay);
}

test('any position is what a replay up to there gives', () => {
	const recording = new Recording(randomRecording({ seed: 4, events: 3000, era: '2.6' }));

	assert.ok(recording.verified);
	for (const position of [
		0,
		1,
		2999,
		1500,
		1499,
		1501,
		199,
		200,
		201,
		1,
		0,
		recording.length,
	]) {
		recording.seek(position);
		assert.equal(recording.position, position);
		assert.equal(
			stateOf(recording.replay),
			plain(recording, position),
			`position ${position}`
		);
	}
});

test('positions outside are the ends', () => {
	const recording = new Recording(randomRecording({ seed: 4, events: 300 }));

	assert.equal(recording.seek(-5), 0);
	assert.equal(recording.seek(1e9), recording.length);
});

test('it ends where an event cannot be, and says so', () => {
	const lines = randomRecording({ seed: 4, events: 1000 }).trimEnd().split('\n');
	const at = lines.findIndex((line, i) => i > 600 && line.includes('"split"'));
	const recording = new Recording([...lines.slice(0, at), ...lines.slice(at + 1)].join('\n'));

	assert.ok(!recording.verified);
	assert.match(recording.problem, /^line \d+: \w+: .*The display ends there\.$/);
	assert.ok(recording.length >= at - 5 && recording.length < at + 50);
	recording.seek(recording.length);
	assert.equal(recording.samples.at(-1).position, recording.length);
});

test('a replay that ends elsewhere than the last snapshot is not called checked', () => {
	const lines = randomRecording({ seed: 4, events: 300 }).trimEnd().split('\n');
	const last = JSON.parse(lines.at(-2));

	last.freelist[9].push(last.freelist[9].shift(), 7);
	lines[lines.length - 2] = JSON.stringify(last);
	const { verified, problem } = new Recording(lines.join('\n'));
	assert.ok(!verified);
	assert.match(problem, /the replay differs from the snapshot: freelist/);
});

test('lost events are told of', () => {
	const text = randomRecording({ seed: 4, events: 100 }).replace('"lost":0', '"lost":7');

	assert.match(new Recording(text).problem, /7 events were lost/);
});

test('a recording of snapshots goes from one to the next', () => {
	const recording = new Recording(snapshotRecording());

	assert.equal(recording.length, 2);
	assert.equal(recording.problem, null);
	recording.seek(1);
	assert.equal(recording.replay.freePages(), 2040);
	assert.equal(
		caption(recording),
		'Snapshot 2: 2040 pages on the free lists, 0 areas; 7 blocks changed since the last.'
	);
	recording.seek(0);
	assert.equal(recording.replay.freePages(), 2048);
});

test('marks apply from their place on', () => {
	const recording = new Recording(randomRecording({ seed: 1, events: 400, marks: 3 }));

	assert.equal(recording.markAt(0), null);
	assert.equal(recording.markAt(recording.marks[1].position).text, 'part 2 of 3');
	assert.equal(recording.markAt(recording.length).number, 3);
});

test('two recordings are together by step, time and mark', () => {
	const pair = ['2.4', '2.6'].map(
		(era) => new Recording(randomRecording({ seed: 1, events: 600, era, marks: 3 }))
	);
	const sync = new Sync(pair, 'step');

	assert.ok(sync.marksMatch);
	assert.deepEqual(
		pair.map((each) => sync.positionAt(each, 77)),
		[77, 77]
	);
	sync.mode = 'time';
	for (const each of pair) {
		const position = sync.positionAt(each, 900);
		assert.ok(each.times[position] <= 900 && each.times[position + 1] > 900);
	}
	sync.mode = 'mark';
	assert.equal(sync.most, 4);
	assert.deepEqual(
		pair.map((each) => sync.positionAt(each, 2)),
		pair.map(({ marks }) => marks[1].position)
	);
	assert.deepEqual(
		pair.map((each) => sync.positionAt(each, 4)),
		pair.map(({ length }) => length)
	);
});

test('stepping on takes each step of both, stepping back undoes it', () => {
	const pair = ['2.4', '2.6'].map(
		(era) => new Recording(randomRecording({ seed: 3, events: 200, era, marks: 2 }))
	);

	for (const mode of ['step', 'time', 'mark']) {
		const sync = new Sync(pair, mode);
		const at = (place) => pair.map((each) => sync.positionAt(each, place)).join();
		const seen = [];
		let place = 0;
		for (let next; (next = sync.after(place)) > place; place = next)
			seen.push(at(place));
		seen.push(at(place));
		assert.equal(at(place), pair.map(({ length }) => length).join(), mode);
		for (let i = seen.length; i-- > 0; place = sync.before(place))
			assert.equal(at(place), seen[i], `${mode} ${i}`);
	}
});

test('the history of a page says which list it came from', () => {
	const pool = new Pool({ pages: 2048 });
	pool.alloc(0);
	pool.free(pool.alloc(0));
	const recording = new Recording(pool.finish());
	const said = recording.historyOf(2046).map((position) => brief(recording.steps, position));

	assert.deepEqual(said.slice(-3), [
		'split of order 1, 2046 kept',
		'handed out, from list 0',
		'freed',
	]);
	const first = recording.historyOf(2047).map((position) => brief(recording.steps, position));
	assert.equal(first.at(-1), 'handed out, from list 9');
});

// What is said at the end of a recording.
function lastWords(pool) {
	const recording = new Recording(pool.finish());

	assert.equal(recording.problem, null);
	recording.seek(recording.length);
	return caption(recording);
}

test('a request that fails says why: no block, or the watermark', () => {
	for (const era of ['2.4', '2.6']) {
		const guarded = new Pool({ pages: 2048, era, min_free: '512' });
		for (let i = 0; i < 3; i++) assert.ok(guarded.alloc(9) >= 0);
		assert.equal(guarded.alloc(3), -1);
		assert.equal(
			lastWords(guarded),
			'A request for order 3 fails: a block of order 9 is free, but the watermark ' +
				'(min_free, 512 pages) refused: 504 pages of 512 would be left.'
		);
		const small = new Pool({ pages: 2048, era, min_free: '8' });
		const pages = Array.from({ length: 3 }, () => small.alloc(9));
		assert.ok(pages.every((page) => page >= 0));
		for (let i = 0; i < 31; i++) small.alloc(4);
		assert.equal(small.alloc(9), -1);
		assert.equal(
			lastWords(small),
			'A request for order 9 fails: no free block is large enough.'
		);
	}
	const open = new Pool({ pages: 512 });
	open.alloc(9);
	assert.equal(open.alloc(0), -1);
	assert.equal(lastWords(open), 'A request for order 0 fails: no free block is large enough.');
});

test('where a mark begins, the last step is said to be before it', () => {
	const pool = new Pool({ pages: 2048 });
	pool.mark('the first');
	pool.free(pool.alloc(9));
	pool.mark('one');
	pool.mark('another');
	pool.alloc(9);
	const recording = new Recording(pool.finish());
	const said = [0, 1, 2, 3].map((position) => {
		recording.seek(position);
		return caption(recording);
	});

	assert.match(said[0], /^The beginning: /);
	assert.match(said[1], /^Block \d+ of order 9 is handed out: /);
	assert.match(
		said[2],
		/^Block \d+ of order 9 is freed; .*[^.]\. Then mark 3 begins\.$/
	);
	assert.match(said[3], /^Block \d+ of order 9 is handed out: /);
});

test('steps are told in words', () => {
	const pool = new Pool({ pages: 2048 });
	const page = pool.alloc(0);
	pool.free(page);
	pool.vfree(pool.vmalloc(2));
	const recording = new Recording(pool.finish());
	const said = [...Array(recording.length + 1).keys()].map((position) => {
		recording.seek(position);
		return caption(recording);
	});

	assert.equal(said[0], 'The beginning: 2048 pages of 2048 are on the free lists.');
	assert.equal(
		said[1],
		'Block 1536 of order 9 is split: its lower half 1536 goes to the head of list 8, and 1792 is left.'
	);
	assert.equal(
		said[10],
		'Page 2047 is handed out: the order-9 block 1536 was split nine times.'
	);
	assert.equal(
		said[11],
		"Page 2047 is freed; its buddy 2046 is free too (the pair's bit was 1): they will coalesce."
	);
	assert.equal(
		said[12],
		'Page 2047 meets its free buddy 2046, which leaves its list: they are block 2046 of order 1; its buddy 2044 is free too.'
	);
	assert.equal(
		said[20],
		'Block 1792 of order 8 meets its free buddy 1536, which leaves its list: they are block 1536 of order 9; the top order has no buddies, so it goes to the head of list 9.'
	);
	assert.ok(said.includes('The area at offset 0 is freed: its 12 KiB become a hole at once.'));
	assert.ok(
		said.every((text) => !/undefined|NaN|null/.test(text)),
		said.join('\n')
	);
});
