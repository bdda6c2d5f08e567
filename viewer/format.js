// SPDX-License-Identifier: GPL-2.0-only
//
// Reads a recording (docs/recording.md): one JSON object per line, version 1.  A
// malformed line throws a FormatError that names it.  Unknown types and keys are
// ignored.

import { ORDERS, STATES } from './replay.js';

export const VERSION = 1;
const FORMAT = 'pocketmm-recording';
const RANGES = ['vmalloc', 'vmap', 'ioremap', 'hole', 'lazy'];
const AREAS = ['vmalloc', 'vmap', 'ioremap', 'map_ram'];

export class FormatError extends Error {
	constructor(message, line) {
		super(line ? `line ${line}: ${message}` : message);
		this.name = 'FormatError';
		this.line = line;
	}
}

// The numbers that the replay needs of each event.
const FIELDS = {
	alloc: ['page', 'order'],
	free: ['page', 'order'],
	recycle: ['page', 'order'],
	split: ['page', 'order', 'kept'],
	coalesce: ['page', 'order', 'buddy'],
	split_page: ['page', 'order'],
	pcp_refill: ['page', 'order'],
	pcp_drain: ['page', 'order'],
	vmalloc: ['offset', 'size'],
	map: ['offset', 'page', 'nr'],
	vfree: ['offset', 'size', 'lazy'],
	purge: ['offset', 'size'],
};

const isNumber = (value) => Number.isSafeInteger(value);
const isList = (value, item) => Array.isArray(value) && value.every(item);

const isBlock = (block) =>
	isList(block.slice(0, 2), isNumber) && STATES.indexOf(block[2]) > 0 && block[2] !== 'hand';
const isRange = (range) =>
	isList(range.slice(0, 2), isNumber) &&
	RANGES.includes(range[2]) &&
	isList(range.slice(3), isNumber);
const isRun = (run) => isList(run, isNumber) && run.length === 2;
const isArea = (area) => Array.isArray(area) && isNumber(area[0]) && isList(area[1], isRun);

// The rules for the records of each type: [rule, test].
const RULES = {
	header: [
		['"format" must be "pocketmm-recording"', (r) => r.format === FORMAT],
		[`this viewer reads version ${VERSION}`, (r) => r.version === VERSION],
		[
			'"mode" must be "trace" or "snapshots"',
			(r) => ['trace', 'snapshots'].includes(r.mode),
		],
		['"pages" must be a number above 0', (r) => isNumber(r.pages) && r.pages > 0],
		['"window" must be a number of bytes', (r) => isNumber(r.window) && r.window >= 0],
	],
	snapshot: [
		[
			`"freelist" must be ${ORDERS} lists of pages`,
			(r) =>
				isList(r.freelist, (list) => isList(list, isNumber)) &&
				r.freelist.length === ORDERS,
		],
		[
			'"blocks" must be a list of [INDEX, ORDER, STATE, CALLER]',
			(r) => isList(r.blocks, (b) => Array.isArray(b) && isBlock(b)),
		],
		[
			'"window" must be a list of [OFFSET, SIZE, TYPE, PAGES, HUGE]',
			(r) => isList(r.window, (w) => Array.isArray(w) && isRange(w)),
		],
		[
			'"areas" must be a list of [OFFSET, [[PAGE, NR], ...]]',
			(r) => r.areas === undefined || isList(r.areas, isArea),
		],
	],
	event: [['"name" must be the name of an event', (r) => typeof r.name === 'string']],
	mark: [['"text" must be text', (r) => typeof r.text === 'string']],
	end: [
		[
			'"events" and "lost" must be numbers',
			(r) => isNumber(r.events) && isNumber(r.lost),
		],
	],
};

// The event of a new area has a field 'type' in the trace, which is the area's kind.
function eventOf(record) {
	if (AREAS.includes(record.type) && typeof record.name === 'string')
		return { ...record, type: 'event', kind: record.type };
	return record;
}

function parseLine(text, line) {
	let record;

	try {
		record = JSON.parse(text);
	} catch {
		throw new FormatError('not JSON; is this a recording of scripts/record?', line);
	}
	if (typeof record !== 'object' || record === null || Array.isArray(record))
		throw new FormatError('not a JSON object', line);
	return eventOf(record);
}

function checkRecord(record, line) {
	for (const [what, holds] of RULES[record.type] ?? [])
		if (!holds(record)) throw new FormatError(`${record.type}: ${what}`, line);
	if (record.type !== 'header' && RULES[record.type] && !isNumber(record.t))
		throw new FormatError(`${record.type}: "t" must be a number of microseconds`, line);
	for (const field of (record.type === 'event' && FIELDS[record.name]) || [])
		if (!isNumber(record[field]))
			throw new FormatError(
				`event ${record.name}: "${field}" must be a number`,
				line
			);
}

// Make an empty recording from its header, which must come first.
function recordingOf(record, line) {
	if (record.type !== 'header')
		throw new FormatError('the first line must be a header', line);
	return { header: record, records: [], lines: [], end: null };
}

// A recording of a trace needs a state to begin with; one of snapshots needs at least two.
function checkWhole({ header, records, end }) {
	const snapshots = records.filter((record) => record.type === 'snapshot').length;

	if (records[0]?.type !== 'snapshot' && header.mode === 'trace')
		throw new FormatError('a snapshot must follow the header', 2);
	if (snapshots === 0) throw new FormatError('there is no snapshot');
	if (!end) throw new FormatError('the end is missing: the recording was cut off');
}

// Returns { header, records, lines, end }: snapshots, events and marks by time, and the
// line of each.
export function parseRecording(text) {
	let recording = null,
		line = 0,
		last = 0;

	// An editor may have put a byte order mark there.
	for (const part of text.replace(/^\uFEFF/, '').split('\n')) {
		line++;
		if (part.trim() === '') continue;
		const record = parseLine(part, line);
		checkRecord(record, line);
		if (!recording) {
			recording = recordingOf(record, line);
			continue;
		}
		if (record.t < last)
			throw new FormatError(`time goes back, from ${last} to ${record.t}`, line);
		last = record.t ?? last;
		if (record.type === 'end') {
			recording.end = record;
		} else if (['snapshot', 'event', 'mark'].includes(record.type)) {
			recording.records.push(record);
			recording.lines.push(line);
		}
	}
	if (!recording) throw new FormatError('the file is empty');
	checkWhole(recording);
	return recording;
}
