// SPDX-License-Identifier: GPL-2.0-only
//
// What is no recording is refused, and the message names the line.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseRecording } from '../format.js';
import { Pool } from './pool.js';

const pool = new Pool({ pages: 64 });
pool.alloc(0);
pool.mark('here');
const good = pool.finish();

// The recording with line number N (from 1) changed.
function changed(number, change) {
	const lines = good.trimEnd().split('\n');
	const line = change(JSON.parse(lines[number - 1]));

	lines[number - 1] = typeof line === 'string' ? line : JSON.stringify(line);
	return lines.join('\n');
}

const count = good.trimEnd().split('\n').length;

test('a good recording is read', () => {
	const { header, records, end } = parseRecording(good);

	assert.equal(header.pages, 64);
	assert.equal(records.filter((record) => record.type === 'event').length, end.events);
	assert.equal(records.find((record) => record.type === 'mark').text, 'here');
});

test('unknown types and keys are ignored', () => {
	const more = changed(
		3,
		(record) =>
			`{"type":"colour","is":"green"}\n${JSON.stringify({ ...record, new: 1 })}`
	);

	assert.equal(parseRecording(more).records.length, parseRecording(good).records.length);
});

test('the trace calls the kind of an area its type', () => {
	const area =
		'{"type":"event","t":0,"name":"vmalloc","offset":0,"size":8192,"type":"vmap","pages":1}';
	const { records } = parseRecording(
		changed(3, (record) => `${area}\n${JSON.stringify(record)}`)
	);

	assert.deepEqual(
		records
			.filter((record) => record.name === 'vmalloc')
			.map(({ type, kind }) => [type, kind]),
		[['event', 'vmap']]
	);
});

const BAD = [
	['an empty file', '', /the file is empty/],
	['no JSON', '{"type":"header"', /line 1: not JSON/],
	['a page of HTML', '<html>', /line 1: not JSON/],
	['a list', '[]', /line 1: not a JSON object/],
	[
		'no header',
		good.slice(good.indexOf('\n') + 1),
		/line 1: the first line must be a header/,
	],
	[
		'another format',
		changed(1, (r) => ({ ...r, format: 'x' })),
		/line 1: header: "format" must be/,
	],
	[
		'another version',
		changed(1, (r) => ({ ...r, version: 2 })),
		/line 1: header: this viewer reads version 1/,
	],
	['no pages', changed(1, (r) => ({ ...r, pages: 0 })), /line 1: header: "pages"/],
	[
		'nine lists',
		changed(2, (r) => ({ ...r, freelist: r.freelist.slice(1) })),
		/line 2: snapshot: "freelist"/,
	],
	[
		'an unknown state',
		changed(2, (r) => ({ ...r, blocks: [[0, 6, 'lost', '']] })),
		/line 2: snapshot: "blocks"/,
	],
	[
		'an unknown kind of area',
		changed(2, (r) => ({ ...r, window: [[0, 4096, 'lake', 0, 0]] })),
		/line 2: snapshot: "window"/,
	],
	[
		'an event without a page',
		changed(3, (r) => ({ ...r, page: '5' })),
		/line 3: event split: "page" must be a number/,
	],
	[
		'an event without a time',
		changed(3, (r) => ({ ...r, t: undefined })),
		/line 3: event: "t" must be/,
	],
	['time that goes back', changed(4, (r) => ({ ...r, t: 0 })), /line 4: time goes back/],
	['half a line', good.slice(0, -20), new RegExp(`line ${count}: not JSON`)],
	['no end', changed(count, () => ''), /the end is missing/],
	[
		'no snapshot',
		`${good.split('\n')[0]}\n{"type":"end","t":0,"events":0,"lost":0}`,
		/a snapshot must follow/,
	],
];

for (const [name, text, message] of BAD)
	test(`refused: ${name}`, () =>
		assert.throws(() => parseRecording(text), { name: 'FormatError', message }));
