// SPDX-License-Identifier: GPL-2.0-only
//
// A recording as a sequence of positions: position 0 is the first snapshot, and each
// event (or, in a recording of snapshots, each further snapshot) is a step to the next.
// States are kept at intervals, so that any position is a short replay away.  It also
// has the data of the curves, the marks, and whether the replay ends exactly in the
// recorded state.

import { parseRecording, FormatError } from './format.js';
import { Replay, ReplayError, unusableOf } from './replay.js';

const KEYFRAMES = 128;
const FEWEST_BETWEEN = 200;
const SAMPLES = 1200;
// Two steps at the same microsecond still have an order.
const INSTANT = 0.001;

export class Recording {
	constructor(text) {
		const { header, records, lines, end } = parseRecording(text);

		this.header = header;
		this.end = end;
		this.problem = end.lost
			? `${end.lost} events were lost: only those before the loss are shown`
			: null;
		this.verified = false;
		this.checked = 0;
		this.marks = [];
		this.steps = [];
		this.lines = [];
		this.checks = new Map();
		this.collect(records, lines);
		this.first = records.find((record) => record.type === 'snapshot');
		this.replay = this.begin(this.first);
		this.index();
		this.seekFrom(0);
	}

	get title() {
		return this.header.title || 'a recording';
	}

	get length() {
		return this.steps.length;
	}

	// In a recording of a trace, later snapshots serve to check the replay.
	collect(records, lines) {
		const stepType = this.header.mode === 'trace' ? 'event' : 'snapshot';
		let begun = false;

		records.forEach((record, i) => {
			if (record.type === 'mark') {
				this.marks.push({
					position: this.steps.length,
					t: record.t,
					text: record.text,
				});
			} else if (!begun) {
				begun = record.type === 'snapshot';
			} else if (record.type === stepType) {
				this.steps.push(record);
				this.lines.push(lines[i]);
			} else if (record.type === 'snapshot') {
				this.checks.set(this.steps.length, {
					snapshot: record,
					line: lines[i],
				});
			}
		});
	}

	begin(snapshot) {
		try {
			return new Replay(this.header, snapshot);
		} catch (error) {
			if (error instanceof ReplayError)
				throw new FormatError(`snapshot: ${error.message}`, 2);
			throw error;
		}
	}

	// --- one pass over everything --------------------------------------------------------

	index() {
		this.interval = Math.max(FEWEST_BETWEEN, Math.ceil(this.length / KEYFRAMES));
		this.sampling = Math.max(1, Math.ceil(this.length / SAMPLES));
		this.keyframes = [this.replay.save()];
		this.times = new Float64Array(this.length + 1);
		this.samples = [];
		this.windowEnd = 0;
		this.sample(0);
		for (let position = 1; position <= this.length; position++)
			if (!this.indexStep(position)) break;
		this.conclude();
	}

	indexStep(position) {
		const step = this.steps[position - 1];

		try {
			this.applyStep(step);
			this.check(position);
		} catch (error) {
			if (!(error instanceof ReplayError)) throw error;
			this.cutAt(
				position - 1,
				`line ${this.lines[position - 1]}: ${error.message}`
			);
			return false;
		}
		this.times[position] = Math.max(step.t, this.times[position - 1] + INSTANT);
		if (position % this.interval === 0) this.keyframes.push(this.replay.save());
		if (position % this.sampling === 0 || position === this.length)
			this.sample(position);
		const last = this.replay.ranges.at(-1);
		this.windowEnd = Math.max(this.windowEnd, last ? last.offset + last.size : 0);
		return true;
	}

	applyStep(step) {
		if (step.type === 'event') this.replay.apply(step);
		else this.replay.load(step);
	}

	check(position) {
		const check = this.checks.get(position);

		if (!check) return;
		this.replay.finish();
		const difference = this.replay.difference(check.snapshot);
		if (difference)
			throw new ReplayError(
				`the replay differs from the snapshot: ${difference}`
			);
		this.checked++;
	}

	// Nothing is shown after a step that cannot have happened.
	cutAt(position, problem) {
		this.problem = `${problem}. The display ends there.`;
		this.steps.length = position;
		this.times = this.times.slice(0, position + 1);
		this.marks = this.marks.filter((mark) => mark.position <= position);
		if (this.samples.at(-1).position !== position) {
			this.seekFrom(position);
			this.sample(position);
		}
	}

	conclude() {
		this.verified = this.checked > 0 && !this.problem;
		this.duration = this.times[this.length];
	}

	sample(position) {
		const count = Array.from(this.replay.count);

		this.samples.push({ position, count, unusable: unusableOf(count) });
	}

	// --- positions -----------------------------------------------------------------------

	seek(position) {
		const to = Math.max(0, Math.min(this.length, Math.round(position)));

		if (to < this.position || to > this.position + this.interval) this.seekFrom(to);
		else this.advance(to);
		return to;
	}

	seekFrom(to) {
		const frame = Math.min(Math.floor(to / this.interval), this.keyframes.length - 1);

		this.replay.restore(this.keyframes[frame]);
		this.position = frame * this.interval;
		this.advance(to);
	}

	// A step that was indexed cannot fail.
	advance(to) {
		for (; this.position < to; this.position++)
			this.applyStep(this.steps[this.position]);
	}

	// The step that led to the present position.
	get step() {
		return this.position > 0 ? this.steps[this.position - 1] : null;
	}

	get time() {
		return this.times[this.position];
	}

	// The mark that applies at a position, and its number from 1; null before the first.
	markAt(position) {
		for (let i = this.marks.length; i-- > 0; )
			if (this.marks[i].position <= position)
				return { ...this.marks[i], number: i + 1 };
		return null;
	}

	// Positions of the events that concern a page.
	historyOf(page) {
		const positions = [];

		this.steps.forEach((step, i) => {
			if (step.type === 'event' && concerns(step, page)) positions.push(i + 1);
		});
		return positions;
	}
}

// Does the event concern the page?
export function concerns(event, page) {
	const { page: first, order, nr, buddy } = event;

	if (first === undefined || first < 0) return false;
	if (event.name === 'map') return page >= first && page < first + nr;
	const size = 1 << (order ?? 0);
	return (
		(page >= first && page < first + size) ||
		(buddy !== undefined && page >= buddy && page < buddy + size)
	);
}

// --- several recordings at once ----------------------------------------------------------------

// A common scale of two recordings: each maps a position to a place on it, and grows.
// By 'mark' both are at the same mark at the same place, however many steps lie between.
const SCALES = {
	step: (recording, position) => position,
	time: (recording, position) => recording.times[position],
	mark: (recording, position) => {
		const bounds = (recording.bounds ??= markBounds(recording));
		let part = bounds.length - 2;
		while (part > 0 && bounds[part] > position) part--;
		const length = bounds[part + 1] - bounds[part];
		return part + (length ? (position - bounds[part]) / length : 1);
	},
};

function markBounds(recording) {
	return [0, ...recording.marks.map((mark) => mark.position), recording.length];
}

export class Sync {
	constructor(recordings, mode = 'step') {
		this.recordings = recordings;
		this.mode = mode;
	}

	// Do both have the same marks, in the same order?
	get marksMatch() {
		const texts = this.recordings.map(({ marks }) => marks.length);

		return texts[0] > 0 && texts.every((nr) => nr === texts[0]);
	}

	placeOf(recording, position) {
		return SCALES[this.mode](recording, position);
	}

	get most() {
		return Math.max(...this.recordings.map((each) => this.placeOf(each, each.length)));
	}

	// The last position at or before the place.
	positionAt(recording, place) {
		let low = 0,
			high = recording.length;

		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.placeOf(recording, middle) <= place) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	// The next place at which one of them takes a step.
	after(place) {
		const places = this.recordings
			.filter((each) => this.positionAt(each, place) < each.length)
			.map((each) => this.placeOf(each, this.positionAt(each, place) + 1));

		return places.length ? Math.min(...places) : place;
	}

	// The place before the last step that one of them took.
	before(place) {
		const last = Math.max(
			...this.recordings.map((each) =>
				this.placeOf(each, this.positionAt(each, place))
			)
		);
		const places = this.recordings.map((each) => {
			const position = this.positionAt(each, place);
			const back = this.placeOf(each, position) >= last ? position - 1 : position;
			return this.placeOf(each, Math.max(0, back));
		});

		return Math.max(0, ...places);
	}
}
