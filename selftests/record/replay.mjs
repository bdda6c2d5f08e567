// SPDX-License-Identifier: GPL-2.0-only
//
// usage: node selftests/record/replay.mjs RECORDING [--without NAME]
//
// Replays a recording's events from its first snapshot and compares what comes of
// it with its last: free lists with their order, pair bits, blocks and window.
// Exit status 0 if all are equal, 3 if they are not or an event does not fit, 1 if
// it is no recording.  With --without the event of that name in the middle of all
// of its kind is left out, as if it had been lost.

import { readFileSync } from 'node:fs';
import { Replay } from '../../viewer/replay.js';

const [file, option, name] = process.argv.slice(2);

function fail(why, status = 1) {
	console.log(why);
	process.exit(status);
}

function readRecording(path) {
	const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
	return lines.map((line, number) => {
		try {
			return JSON.parse(line);
		} catch (error) {
			return fail(`line ${number + 1}: ${error.message}`);
		}
	});
}

// Header, snapshot, events and marks by time, snapshot, end.
function checkForm(records) {
	const types = records.map((record) => record.type);
	const times = records.slice(1).map((record) => record.t);
	const events = types.filter((type) => type === 'event').length;
	const end = records.at(-1);

	if (types[0] !== 'header' || records[0].version !== 1)
		fail('no header of version 1');
	if (types[1] !== 'snapshot' || types.at(-2) !== 'snapshot' || types.at(-1) !== 'end')
		fail('not from a snapshot to a snapshot and an end');
	if (times[0] !== 0 || times.some((time, i) => i > 0 && time < times[i - 1]))
		fail('times do not begin at 0 or go back');
	if (end.events !== events || end.lost !== 0)
		fail(`the end says ${end.events} events, ${end.lost} lost; there are ${events}`);
}

function leaveOut(events, what) {
	const those = events.filter((event) => event.name === what);

	if (those.length === 0)
		fail(`there is no ${what}`);
	const gone = those[those.length >> 1];
	return events.filter((event) => event !== gone);
}

// The callers of blocks are no part of the state.
function withoutCallers(blocks) {
	return blocks.map((block) => block.slice(0, 3));
}

function difference(what, got, expected) {
	const length = Math.max(got.length, expected.length);

	for (let i = 0; i < length; i++) {
		const [a, b] = [JSON.stringify(got[i]), JSON.stringify(expected[i])];
		if (a !== b)
			return `${what}[${i}] is ${a}, not ${b}`;
	}
	return null;
}

function replay(header, first, events) {
	const state = new Replay(header, first);

	events.forEach((event, number) => {
		try {
			state.apply(event);
		} catch (error) {
			fail(`event ${number} ${JSON.stringify(event)}: ${error.message}`, 3);
		}
	});
	return state;
}

const records = readRecording(file);
checkForm(records);
const all = records.filter((record) => record.type === 'event');
const events = option === '--without' ? leaveOut(all, name) : all;
const state = replay(records[0], records[1], events);
const last = records.at(-2);
const differences = [
	difference('freelist', state.freelist(), last.freelist),
	difference('pairmap', state.pairmap(), last.pairmap),
	difference('blocks', withoutCallers(state.blocks()), withoutCallers(last.blocks)),
	difference('window', state.window(), last.window),
].filter((text) => text !== null);
if (differences.length > 0)
	fail(differences.join('\n'), 3);
console.log(`${events.length} events: ${last.blocks.length} blocks, ${last.window.length} stretches of the window`);
