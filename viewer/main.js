// SPDX-License-Identifier: GPL-2.0-only
//
// The page: the recordings that came with it or that the user opens, their common
// timeline, keys and themes.

import 'uplot/dist/uPlot.min.css';
import { FormatError } from './format.js';
import { LAYOUTS } from './layout.js';
import { Recording, Sync } from './recording.js';
import { PARAMS, View } from './view.js';
import { element, setText } from './dom.js';
import { THEMES } from './theme.js';
import { timeText } from './words.js';

const SPEEDS = [1, 2, 5, 10, 30, 100, 300, 1000, 5000];
const ANIMATED = 30; // steps a second; faster ones are not animated
const MOST = 2;
const ROOM = { header: 41, head: 78, footer: 84, below: 127 };

const KEYS = [
	['Space', 'play or pause'],
	['← →', 'one step back, forward'],
	['Shift ← →', 'a hundred steps'],
	['Page Up, Page Down', 'the previous mark, the next'],
	['Home, End', 'the beginning, the end'],
	['+ −', 'faster, slower'],
	['z', 'squares or rows'],
	['t', 'dark or light'],
	['s', 'keep two recordings together by mark, step or time'],
	['Esc', 'pick nothing'],
	['?', 'show these keys'],
];

const byId = (id) => document.getElementById(id);
const stored = {
	get: (name) => {
		try {
			return localStorage.getItem(name);
		} catch {
			return null;
		}
	},
	set: (name, value) => {
		try {
			localStorage.setItem(name, value);
		} catch {
			/* not from here */
		}
	},
};

// All parameters of one recording; of two, those that differ.
function telling(params) {
	return PARAMS.filter(
		(name) => params.length < 2 || params.some((each) => each[name] !== params[0][name])
	);
}

class App {
	constructor() {
		this.views = [];
		this.place = 0;
		this.speed = 5;
		this.playing = false;
		this.layout = LAYOUTS[0];
		this.frames = { count: 0, cost: 0 };
		this.theme =
			stored.get('pocketmm-theme') ??
			(this.prefersDark.matches ? 'dark' : 'light');
		document.documentElement.dataset.theme = this.theme;
		this.frame = this.frame.bind(this);
		this.prepare();
	}

	get prefersDark() {
		return matchMedia('(prefers-color-scheme: dark)');
	}

	get still() {
		return matchMedia('(prefers-reduced-motion: reduce)').matches;
	}

	get recordings() {
		return this.views.map((view) => view.recording);
	}

	// --- recordings ----------------------------------------------------------------------

	// @texts: [name, text] each; a text that cannot be read is reported and left out
	load(texts) {
		const recordings = [],
			problems = [];

		for (const [name, text] of texts.slice(0, MOST)) {
			try {
				const recording = new Recording(text);
				recordings.push(recording);
				if (recording.problem)
					problems.push(`${name}: ${recording.problem}`);
			} catch (error) {
				problems.push(
					`${name}: ${error instanceof FormatError ? error.message : error.stack}`
				);
			}
		}
		if (texts.length > MOST) problems.push(`Only the first ${MOST} recordings are shown.`);
		this.tell(problems.join('\n'));
		if (recordings.length) this.show(recordings);
	}

	tell(text) {
		byId('message').textContent = text;
		byId('message').hidden = text === '';
	}

	show(recordings) {
		this.pause();
		this.sync = new Sync(recordings);
		const params = telling(recordings.map(({ header }) => header.params ?? {}));
		this.views = recordings.map((recording) => new View(recording, this, params));
		byId('views').replaceChildren(...this.views.map(({ node }) => node));
		byId('views').classList.toggle('pair', recordings.length > 1);
		this.subtitle();
		this.offerSyncs();
		this.place = 0;
		this.rebuild();
	}

	subtitle() {
		const { header } = this.recordings[0];

		setText(byId('subtitle'), `${header.pages} pages, Linux ${header.kernel ?? '?'}`);
		document.title = `${this.recordings.map(({ title }) => title).join(' | ')} – pocketmm`;
	}

	offerSyncs() {
		const order =
			this.views.length < 2 ? ['step', 'time', 'mark'] : ['mark', 'step', 'time'];
		const modes = order.filter((mode) => mode !== 'mark' || this.sync.marksMatch);

		byId('sync').replaceChildren(
			...modes.map((mode) => element('option', { value: mode }, mode))
		);
		byId('sync-label').firstChild.textContent =
			this.views.length < 2 ? 'Scale ' : 'Together by ';
		this.sync.mode = modes[0];
	}

	// Draw everything that depends on theme, scale or size.
	rebuild() {
		if (!this.views.length) return;
		byId('slider').max = this.sync.most;
		setText(byId('layout'), this.layout === 'rows' ? 'Rows' : 'Squares');
		setText(byId('theme'), this.theme === 'dark' ? 'Dark' : 'Light');
		for (const view of this.views) view.retheme(this.theme, this.sync);
		this.resize();
		this.drawFlags();
	}

	// What the maps' sizes follow from.
	sizes() {
		const { width } = byId('views').getBoundingClientRect();

		return [width, innerHeight, devicePixelRatio].join(' ');
	}

	// An observer calls this once for nothing: a repaint of all that is shown, in between two steps.
	followSize() {
		if (this.views.length && this.sizes() !== this.sized) this.resize();
	}

	resize() {
		const { header, head, footer, below } = ROOM;
		const charts = this.views[0].curves.height;
		const height = innerHeight - header - head - footer - below - charts;

		for (const view of this.views) view.resize(this.layout, height);
		this.sized = this.sizes();
		this.drawActivity();
		this.goTo(this.place);
	}

	// --- positions -----------------------------------------------------------------------

	goTo(place, how = {}) {
		const begun = performance.now();

		this.place = Math.max(0, Math.min(this.sync.most, place));
		for (const view of this.views) {
			const before = view.recording.position;
			const now = view.recording.seek(
				this.sync.positionAt(view.recording, this.place)
			);
			if (how.animate && now === before + 1) view.animate(this.speed, this.still);
			else if (now !== before || !how.animate) view.overlay.effect = null;
			view.draw(this.place, now === before + 1);
		}
		this.drawPlace();
		if (!this.playing) this.said(this.views.map((view) => view.sentence).join(' '));
		this.wake();
		this.frames.cost = performance.now() - begun;
		this.frames.count++;
	}

	seekPlace(place) {
		this.pause();
		this.goTo(place);
	}

	seekIn(view, position) {
		this.seekPlace(this.sync.placeOf(view.recording, position));
	}

	forward() {
		this.pause();
		this.goTo(this.sync.after(this.place), { animate: true });
	}

	back() {
		this.pause();
		this.goTo(this.sync.before(this.place));
	}

	// Move by so many steps of the longest recording.
	leap(steps) {
		const longest = Math.max(...this.recordings.map(({ length }) => length));

		this.seekPlace(this.place + (steps * this.sync.most) / Math.max(1, longest));
	}

	markPlaces() {
		const [recording] = this.recordings;

		return recording.marks.map(({ position }) =>
			this.sync.placeOf(recording, position)
		);
	}

	toMark(direction) {
		const places = [0, ...this.markPlaces(), this.sync.most];
		const next =
			direction > 0
				? places.find((place) => place > this.place + 1e-9)
				: places.filter((place) => place < this.place - 1e-9).pop();

		this.seekPlace(next ?? this.place);
	}

	// --- playing -------------------------------------------------------------------------

	play() {
		if (this.place >= this.sync.most) this.goTo(0);
		this.playing = true;
		this.last = performance.now();
		this.owed = 0;
		this.drawPlay();
		this.wake();
	}

	pause() {
		this.playing = false;
		this.drawPlay();
	}

	toggle() {
		if (this.playing) this.pause();
		else this.play();
	}

	drawPlay() {
		byId('play').classList.toggle('playing', this.playing);
		byId('play').setAttribute('aria-label', this.playing ? 'Pause' : 'Play');
	}

	// Take the steps that are due since the last frame.
	tick(now) {
		this.owed += ((now - this.last) / 1000) * this.speed;
		this.last = now;
		const steps = Math.floor(this.owed);
		if (steps < 1) return;
		this.owed -= steps;
		if (this.speed <= ANIMATED)
			this.goTo(this.sync.after(this.place), { animate: true });
		else this.leapOn(steps);
		if (this.place >= this.sync.most) this.pause();
	}

	leapOn(steps) {
		const longest = Math.max(...this.recordings.map(({ length }) => length));

		this.goTo(this.place + (steps * this.sync.most) / Math.max(1, longest));
	}

	// Frames are drawn only while there is something to draw.
	wake() {
		if (!this.scheduled) this.scheduled = requestAnimationFrame(this.frame);
	}

	frame(now) {
		this.scheduled = 0;
		if (this.playing) this.tick(now);
		let moving = this.playing;
		for (const view of this.views) moving = view.drawOverlay() || moving;
		if (moving) this.wake();
	}

	// --- the timeline --------------------------------------------------------------------

	drawPlace() {
		const [recording] = this.recordings;
		const mark = recording.markAt(recording.position);
		const where = this.recordings
			.map(({ position, length }) => `${position} / ${length}`)
			.join(' · ');

		byId('slider').value = this.place;
		byId('slider').setAttribute(
			'aria-valuetext',
			`step ${recording.position} of ${recording.length}`
		);
		setText(byId('where'), `step ${where} · ${timeText(recording.time)}`);
		byId('mark').replaceChildren(
			...(mark
				? [element('span', { class: 'nr' }, String(mark.number)), mark.text]
				: [])
		);
		for (const [i, flag] of [...byId('flags').children].entries())
			flag.classList.toggle('past', mark !== null && i < mark.number);
	}

	drawFlags() {
		const [recording] = this.recordings;

		byId('flags').replaceChildren(
			...this.markPlaces().map((place, i) => {
				const flag = element(
					'button',
					{
						type: 'button',
						title: recording.marks[i].text,
						'aria-label': `Mark ${i + 1}: ${recording.marks[i].text}`,
						onclick: () => this.seekPlace(place),
					},
					String(i + 1)
				);
				flag.style.left = `${(100 * place) / Math.max(this.sync.most, 1e-9)}%`;
				return flag;
			})
		);
		this.drawPlace();
	}

	// The number of steps at each place, and the part of memory that is free there.
	drawActivity() {
		const canvas = byId('activity'),
			context = canvas.getContext('2d');
		const ratio = devicePixelRatio || 1,
			width = canvas.clientWidth,
			height = canvas.clientHeight;
		const { samples, header } = this.recordings[0];

		canvas.width = width * ratio;
		canvas.height = height * ratio;
		context.scale(ratio, ratio);
		context.fillStyle = THEMES[this.theme].line;
		context.beginPath();
		context.moveTo(0, height);
		for (const { position, count } of samples) {
			const free = count.reduce((sum, nr, order) => sum + nr * (1 << order), 0);
			const x =
				(this.sync.placeOf(this.recordings[0], position) /
					Math.max(this.sync.most, 1e-9)) *
				width;
			context.lineTo(x, (height * free) / header.pages);
		}
		context.lineTo(width, height);
		context.fill();
	}

	// --- input ---------------------------------------------------------------------------

	said(text) {
		setText(byId('live'), text);
	}

	setSpeed(speed) {
		this.speed = speed;
		byId('speed').value = speed;
	}

	faster(direction) {
		const at = SPEEDS.indexOf(this.speed) + direction;

		this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))]);
	}

	setSync(mode) {
		const [recording] = this.recordings;
		const { position } = recording;

		this.sync.mode = mode;
		byId('sync').value = mode;
		this.place = this.sync.placeOf(recording, position);
		this.rebuild();
	}

	nextSync() {
		const modes = [...byId('sync').options].map(({ value }) => value);

		this.setSync(modes[(modes.indexOf(this.sync.mode) + 1) % modes.length]);
	}

	setLayout(name) {
		this.layout = name;
		this.rebuild();
	}

	setTheme(name, keep = true) {
		this.theme = name;
		document.documentElement.dataset.theme = name;
		if (keep) stored.set('pocketmm-theme', name);
		this.rebuild();
	}

	pickNothing() {
		for (const view of this.views) view.select(-1);
	}

	keyActions() {
		return {
			' ': () => this.toggle(),
			Home: () => this.seekPlace(0),
			End: () => this.seekPlace(this.sync.most),
			ArrowLeft: (event) => (event.shiftKey ? this.leap(-100) : this.back()),
			ArrowRight: (event) => (event.shiftKey ? this.leap(100) : this.forward()),
			PageUp: () => this.toMark(-1),
			PageDown: () => this.toMark(1),
			'+': () => this.faster(1),
			'=': () => this.faster(1),
			'-': () => this.faster(-1),
			z: () => this.setLayout(this.layout === 'rows' ? 'squares' : 'rows'),
			t: () => this.setTheme(this.theme === 'dark' ? 'light' : 'dark'),
			s: () => this.nextSync(),
			'?': () => byId('keys').showModal(),
			Escape: () => this.pickNothing(),
		};
	}

	key(event) {
		const { target, key } = event;
		const action = this.actions[key.length === 1 ? key.toLowerCase() : key];

		if (
			!action ||
			event.ctrlKey ||
			event.altKey ||
			event.metaKey ||
			byId('keys').open ||
			!this.views.length
		)
			return;
		if ((key === ' ' && target.tagName === 'BUTTON') || target.tagName === 'SELECT')
			return;
		event.preventDefault();
		action(event);
	}

	prepare() {
		this.actions = this.keyActions();
		document.addEventListener('keydown', (event) => this.key(event));
		const on = (id, act, type = 'click') => byId(id).addEventListener(type, act);
		on('first', this.actions.Home);
		on('last', this.actions.End);
		on('back', () => this.back());
		on('forward', () => this.forward());
		on('play', () => this.toggle());
		on('theme', this.actions.t);
		on('layout', this.actions.z);
		on('help', this.actions['?']);
		on('slider', (event) => this.seekPlace(Number(event.target.value)), 'input');
		on('speed', (event) => this.setSpeed(Number(event.target.value)), 'change');
		on('sync', (event) => this.setSync(event.target.value), 'change');
		on('open', (event) => this.open([...event.target.files]), 'change');
		this.fillChoices();
		this.acceptDrops();
		new ResizeObserver(() => this.followSize()).observe(byId('views'));
		addEventListener('resize', () => this.followSize());
		this.prefersDark.addEventListener(
			'change',
			({ matches }) =>
				stored.get('pocketmm-theme') ??
				this.setTheme(matches ? 'dark' : 'light', false)
		);
	}

	fillChoices() {
		byId('speed').append(
			...SPEEDS.map((speed) =>
				element('option', { value: speed }, `${speed} steps/s`)
			)
		);
		this.setSpeed(this.speed);
		byId('keys')
			.querySelector('table')
			.append(
				...KEYS.map(([keys, does]) =>
					element(
						'tr',
						{},
						element('td', {}, element('kbd', {}, keys)),
						element('td', {}, does)
					)
				)
			);
	}

	async open(files) {
		this.load(
			await Promise.all(files.map(async (file) => [file.name, await file.text()]))
		);
	}

	acceptDrops() {
		const dropping = (on) => (event) => {
			event.preventDefault();
			document.body.classList.toggle('dropping', on);
		};

		document.addEventListener('dragover', dropping(true));
		document.addEventListener('dragleave', dropping(false));
		document.addEventListener('drop', (event) => {
			dropping(false)(event);
			this.open([...event.dataTransfer.files]);
		});
	}
}

const app = new App();
globalThis.pocketmm = app;
app.load(
	[...document.querySelectorAll('script.recording')].map((script) => [
		script.dataset.name,
		script.textContent,
	])
);
