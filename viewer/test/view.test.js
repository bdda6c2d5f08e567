// SPDX-License-Identifier: GPL-2.0-only
//
// The page in headless Chromium, from a file, compared with what the replay says here.
// Screenshots are left in build/viewer/.

import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recording } from '../recording.js';
import { rangesOf } from '../replay.js';
import { caption } from '../words.js';
import { build, launch, pageOf, scratch, tabAt, tidy, view } from './browser.js';
import { randomRecording, snapshotRecording } from './pool.js';

const demo = (name) => readFileSync(new URL(`../demo/${name}.jsonl`, import.meta.url), 'utf8');
const texts = { one: demo('era-2.4'), other: demo('modern') };
let context, one, pair, tab;

before(async () => {
	mkdirSync(build, { recursive: true });
	one = pageOf('one', texts.one);
	pair = pageOf('pair', texts.one, texts.other);
	context = await launch();
});

after(async () => {
	await context.close();
	tidy();
});

afterEach(async () => {
	const complaints = tab?.complaints ?? [];
	await tab?.close();
	tab = null;
	assert.deepEqual(complaints, []);
});

const place = () => tab.evaluate('pocketmm.place');
const positions = () => tab.evaluate('pocketmm.recordings.map(({ position }) => position)');
const text = (selector) => tab.locator(selector).first().innerText();
const goTo = (to) => tab.evaluate((there) => globalThis.pocketmm.goTo(there), to);

// All that is drawn of the first recording: the pixels of both maps, the lists.
function drawn() {
	return tab.evaluate(() => [
		...[...document.querySelectorAll('canvas.map, canvas.window')].map((canvas) =>
			canvas.toDataURL()
		),
		...[...document.querySelectorAll('.lists .nr, .lists .heads, .caption')].map(
			(node) => node.textContent
		),
	]);
}

// The page's own policy forbids what waitForFunction() does.
async function until(expression) {
	for (let i = 0; i < 2400; i++) {
		if (await tab.evaluate(expression)) return;
		await tab.waitForTimeout(50);
	}
	assert.fail(`not within two minutes: ${expression}`);
}

async function screenshot(name) {
	await tab.waitForTimeout(150);
	await tab.screenshot({ path: join(build, `${name}.png`) });
}

// --- what is shown -----------------------------------------------------------------------------

test('it opens from disk and shows the first snapshot', async () => {
	tab = await tabAt(context, one);
	const recording = new Recording(texts.one);

	assert.equal(await text('.caption'), caption(recording));
	assert.equal(await text('.good'), 'checked');
	assert.equal(await tab.title(), `${recording.title} – pocketmm`);
});

test('free lists are those of the replay', async () => {
	tab = await tabAt(context, one);
	const recording = new Recording(texts.one);

	for (const part of [0.2, 0.5, 0.8, 1]) {
		const position = recording.seek(recording.length * part);
		await goTo(position);
		const rows = await tab
			.locator('.lists tr')
			.evaluateAll((all) =>
				all.map((row) => [
					Number(row.querySelector('.nr').textContent),
					[...row.querySelectorAll('.heads button')].map(
						({ textContent }) => Number(textContent)
					),
				])
			);
		const lists = recording.replay.freelist();
		assert.deepEqual(
			rows.map(([nr]) => nr),
			lists.map(({ length }) => length)
		);
		rows.forEach(([, heads], order) => {
			assert.deepEqual(heads, lists[order].slice(0, heads.length));
			assert.ok(heads.length >= Math.min(lists[order].length, 5));
		});
		assert.equal(await text('.caption'), caption(recording));
	}
});

test('a click on a cell shows its block, owner, pair bits and history', async () => {
	tab = await tabAt(context, one);
	const recording = new Recording(texts.one),
		{ replay } = recording;

	const position = recording.seek(recording.length * 0.6);
	await goTo(position);
	for (const page of [2047, 1500, 3, 1025]) {
		const { x, y, w, h } = await tab.evaluate(
			(nr) => globalThis.pocketmm.views[0].map.rectOf(nr, 0),
			page
		);
		await tab.locator('canvas.map').click({ position: { x: x + w / 2, y: y + h / 2 } });
		const index = replay.blockOf(page),
			order = replay.order[index];
		assert.match(await text('.detail h3'), new RegExp(`^Page ${page}\\b`));
		assert.match(
			await text('.detail dl'),
			new RegExp(`Block\\s+${index}, order ${order}:`)
		);
		if (replay.callerOf(index))
			assert.ok((await text('.detail dl')).includes(replay.callerOf(index)));
		const bits = await tab
			.locator('.bits tbody tr')
			.evaluateAll((rows) =>
				rows.map((row) =>
					[...row.children].map(({ textContent }) => textContent)
				)
			);
		assert.deepEqual(
			bits,
			Array.from({ length: 9 }, (_, order_) => expectedBits(replay, page, order_))
		);
		assert.match(
			await text('.detail h3:has(+ .history)'),
			new RegExp(`\\b${recording.historyOf(page).length} events?`)
		);
	}
});

// From the map of pairs, not from where the table has it.
function expectedBits(replay, page, order) {
	const lists = replay.list(order),
		pair = page >> (1 + order);
	const a = pair << (1 + order),
		b = a + (1 << order);
	const word = (block) => `${block} ${lists.includes(block) ? '● on' : '○ off'}`;
	const set = new Set(replay.list(order).map((block) => block >> (1 + order)));

	assert.equal(rangesOf([...set].sort((x, y) => x - y)), replay.pairmap()[order]);
	return [String(order), String(pair), word(a), word(b), set.has(pair) ? '1' : '0'];
}

test('a click on an area shows its pages', async () => {
	tab = await tabAt(context, one);
	const recording = new Recording(texts.one);
	const position = recording.seek(mostAreas(recording));
	await goTo(position);
	const range = recording.replay.ranges
		.filter(({ type, runs }) => type === 'vmalloc' && runs.length)
		.reduce((a, b) => (b.pages > a.pages ? b : a));
	const spot = await tab.evaluate(
		({ offset, size }) => globalThis.pocketmm.views[0].window.piecesOf(offset, size)[0],
		range
	);

	await tab
		.locator('canvas.window')
		.click({ position: { x: spot.x + spot.w / 2, y: spot.y + spot.h / 2 } });
	assert.match(
		await text('.detail h3'),
		new RegExp(`^Area vmalloc\\s*at offset ${range.offset}`)
	);
	assert.match(await text('.detail dl'), new RegExp(`Pages\\s+${range.pages}\\b`));
	const first = await tab.locator('.detail tbody tr').first().innerText();
	assert.match(first, new RegExp(`^${range.offset}\\s+${range.runs[0][1]}\\b`));
	await screenshot('area');
});

function mostAreas(recording) {
	let best = 0,
		most = 0;

	for (let position = 0; position <= recording.length; position += 7) {
		recording.seek(position);
		const areas = recording.replay.ranges.filter(
			({ type, runs }) => type === 'vmalloc' && runs.length
		).length;
		if (areas > most) [best, most] = [position, areas];
	}
	return best;
}

// --- going to and fro --------------------------------------------------------------------------

test('stepping there and back is the same as going there', async () => {
	tab = await tabAt(context, one);
	const length = await tab.evaluate('pocketmm.recordings[0].length');

	for (const position of [3, Math.floor(length / 3), length - 4]) {
		await goTo(position);
		const direct = await drawn();
		await goTo(position - 3);
		for (let i = 0; i < 3; i++) await tab.keyboard.press('ArrowRight');
		assert.deepEqual(await positions(), [position]);
		assert.deepEqual(await drawn(), direct, `forward to ${position}`);
		await goTo(position + 3);
		for (let i = 0; i < 3; i++) await tab.locator('#back').click();
		assert.deepEqual(await drawn(), direct, `back to ${position}`);
	}
});

test('wherever one comes from, what is drawn is what would be drawn anew', async () => {
	tab = await tabAt(context, one);
	const length = await tab.evaluate('pocketmm.recordings[0].length');

	for (let i = 1; i <= 24; i++) {
		await goTo((i * 397) % length);
		const before = await drawn();
		await tab.evaluate('pocketmm.rebuild()');
		assert.deepEqual(await drawn(), before, `at ${(i * 397) % length}`);
	}
});

test('only what a step changes is painted, and nothing for a resize to the same size', async () => {
	tab = await tabAt(context, one);
	const recording = new Recording(texts.one);
	const blocks = () =>
		new Map(
			recording.replay
				.blocks()
				.map(([index, order, state]) => [
					index,
					`${order} ${state} ${recording.replay.inArea[index]}`,
				])
		);

	for (const position of [10, 200, 600]) {
		await goTo(position);
		recording.seek(position);
		const old = blocks(),
			painted = await tab.evaluate('pocketmm.views[0].map.painted');
		await tab.evaluate("dispatchEvent(new Event('resize'))");
		await tab.keyboard.press('ArrowRight');
		recording.seek(position + 1);
		const changed = [...blocks()].filter(([index, is]) => old.get(index) !== is).length;
		assert.equal(
			(await tab.evaluate('pocketmm.views[0].map.painted')) - painted,
			changed
		);
		assert.ok(changed < 4);
	}
});

test('keys', async () => {
	tab = await tabAt(context, one);
	const { length, marks } = new Recording(texts.one);

	await tab.keyboard.press('End');
	assert.deepEqual(await positions(), [length]);
	await tab.keyboard.press('ArrowLeft');
	assert.deepEqual(await positions(), [length - 1]);
	await tab.keyboard.press('Shift+ArrowLeft');
	assert.deepEqual(await positions(), [length - 101]);
	await tab.keyboard.press('Home');
	assert.deepEqual(await positions(), [0]);
	await tab.keyboard.press('Shift+ArrowRight');
	assert.deepEqual(await positions(), [100]);
	await tab.keyboard.press('PageDown');
	const next = marks.find(({ position }) => position > 100);
	assert.deepEqual(await positions(), [next.position]);
	assert.ok((await text('#mark')).includes(next.text));
	await tab.keyboard.press('PageUp');
	assert.ok((await positions())[0] < next.position);
	await tab.keyboard.press('z');
	assert.equal(await text('#layout'), 'Rows');
	await tab.keyboard.press('?');
	assert.ok(await tab.locator('#keys').isVisible());
	await screenshot('keys');
	await tab.keyboard.press('Escape');
	assert.ok(!(await tab.locator('#keys').isVisible()));
});

test('arrow keys on the map pick the page beside', async () => {
	tab = await tabAt(context, one);
	await tab.locator('canvas.map').focus();
	await tab.keyboard.press('ArrowRight');
	assert.match(await text('.detail h3'), /^Page 0\b/);
	await tab.keyboard.press('ArrowRight');
	assert.match(await text('.detail h3'), /^Page 1\b/);
	await tab.keyboard.press('ArrowDown');
	assert.match(await text('.detail h3'), /^Page 3\b/);
	assert.deepEqual(await positions(), [0]);
	await tab.keyboard.press('Escape');
	assert.match(await text('.detail h3'), /^Pick a page/);
});

test('space plays and pauses, and it stops at the end', async () => {
	tab = await tabAt(context, one);
	await tab.keyboard.press('+');
	await tab.keyboard.press(' ');
	await until('pocketmm.place > 2');
	await tab.keyboard.press(' ');
	const stopped = await place();
	await tab.waitForTimeout(400);
	assert.equal(await place(), stopped);
	await tab.locator('#speed').selectOption('5000');
	await tab.locator('#play').click();
	await until('!pocketmm.playing');
	assert.deepEqual(await positions(), await tab.evaluate('[pocketmm.recordings[0].length]'));
});

test('splits are shown in motion, but not to whom that is too much', async () => {
	tab = await tabAt(context, one, { reducedMotion: 'no-preference' });
	const toSplit =
		'pocketmm.goTo(pocketmm.recordings[0].steps.findIndex(({ name }) => name === "split"))';
	// In one go, because the motion might be over before a second question comes.
	const stepAndLook = () =>
		tab.evaluate(() => {
			document.body.dispatchEvent(
				new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })
			);
			const { event, still } = globalThis.pocketmm.views[0].overlay.effect;
			return [event.name, still];
		});
	await tab.evaluate(toSplit);
	assert.deepEqual(await stepAndLook(), ['split', false]);
	await until('pocketmm.views[0].overlay.effect === null && !pocketmm.scheduled');
	await tab.emulateMedia({ reducedMotion: 'reduce' });
	await tab.evaluate(toSplit);
	assert.deepEqual(await stepAndLook(), ['split', true]);
	await until('!pocketmm.scheduled');
});

test('what a step does is said to screen readers, and parts have names', async () => {
	tab = await tabAt(context, one);
	await tab.keyboard.press('ArrowRight');
	assert.equal(await tab.locator('#live').textContent(), await text('.caption'));
	assert.equal(
		await tab.locator('#slider').getAttribute('aria-valuetext'),
		`step 1 of ${await tab.evaluate('pocketmm.recordings[0].length')}`
	);
	const nameless = await tab
		.locator('button, input, select, canvas.map, canvas.window')
		.evaluateAll((all) =>
			all
				.filter(
					(node) =>
						!node.textContent.trim() &&
						!node.getAttribute('aria-label') &&
						!node.labels?.length
				)
				.map(({ outerHTML }) => outerHTML)
		);
	assert.deepEqual(nameless, []);
});

// --- two recordings, looks ---------------------------------------------------------------------

test('two recordings side by side are together by mark, step or time', async () => {
	tab = await tabAt(context, pair);
	const both = [texts.one, texts.other].map((each) => new Recording(each));

	assert.equal(await tab.locator('.view').count(), 2);
	assert.equal(await tab.locator('#sync').inputValue(), 'mark');
	await goTo(3);
	assert.deepEqual(
		await positions(),
		both.map(({ marks }) => marks[2].position)
	);
	await tab.locator('#sync').selectOption('step');
	await goTo(120);
	assert.deepEqual(await positions(), [120, 120]);
	await tab.keyboard.press('s');
	assert.equal(await tab.locator('#sync').inputValue(), 'time');
	await tab.keyboard.press('End');
	assert.deepEqual(
		await positions(),
		both.map(({ length }) => length)
	);
	await tab.keyboard.press('ArrowLeft');
	await tab.keyboard.press('ArrowRight');
	assert.deepEqual(
		await positions(),
		both.map(({ length }) => length)
	);
});

for (const theme of ['light', 'dark'])
	for (const [name, width, height] of [
		['small', 1280, 800],
		['large', 1920, 1080],
		['narrow', 420, 900],
	])
		test(`${theme}, ${name}: no sideways scrolling, map in sight`, async () => {
			tab = await tabAt(context, name === 'large' ? pair : one, {
				colorScheme: theme,
			});
			await tab.setViewportSize({ width, height });
			assert.equal(
				await tab.evaluate('document.documentElement.dataset.theme'),
				theme
			);
			await goTo(await tab.evaluate('pocketmm.sync.most * 0.62'));
			await tab.evaluate('pocketmm.views[0].select(1300)');
			await screenshot(`${theme}-${name}`);
			assert.ok(
				await tab.evaluate(
					'document.documentElement.scrollWidth <= innerWidth'
				)
			);
			const box = await tab.locator('canvas.map').first().boundingBox();
			assert.ok(
				box.x >= 0 &&
					box.x + box.width <= width &&
					box.y + box.height < height,
				JSON.stringify(box)
			);
		});

test('a recording of snapshots is stepped through as well', async () => {
	tab = await tabAt(context, pageOf('snapshots', snapshotRecording()));
	await tab.keyboard.press('ArrowRight');
	assert.match(await text('.caption'), /^Snapshot 2: 2040 pages on the free lists/);
	assert.match(await text('.lists small'), /^2040 of 2048/);
	await tab.keyboard.press('ArrowRight');
	assert.match(await text('.caption'), /^Snapshot 3: 2048 pages/);
	assert.match(await text('#mark'), /done/);
});

test('the theme follows the system until one is chosen, which is kept', async () => {
	tab = await tabAt(context, one, { colorScheme: 'light' });
	const ground = () => tab.evaluate('getComputedStyle(document.body).backgroundColor');
	const light = await ground();

	await tab.emulateMedia({ colorScheme: 'dark' });
	await until('document.documentElement.dataset.theme === "dark"');
	assert.notEqual(await ground(), light);
	await tab.keyboard.press('t');
	assert.equal(await ground(), light);
	await tab.reload();
	assert.equal(await ground(), light);
	await tab.evaluate('localStorage.clear()');
});

test("on a dense display it is drawn as densely, and follows the window's size", async () => {
	const dense = await launch({ deviceScaleFactor: 2 });
	try {
		tab = await tabAt(dense, one);
		const size = () =>
			tab
				.locator('canvas.map')
				.evaluate((canvas) => [canvas.width, canvas.clientWidth]);
		const [pixels, width] = await size();
		assert.equal(pixels, 2 * width);
		await tab.setViewportSize({ width: 700, height: 800 });
		await until(`document.querySelector('canvas.map').clientWidth < ${width}`);
		assert.deepEqual(tab.complaints, []);
	} finally {
		await dense.close();
		tab = null;
	}
});

// --- what is wrong -----------------------------------------------------------------------------

test('make view and make demo-view say where the page is', () => {
	const make = (...args) => {
		const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...env } = process.env;
		const top = new URL('../..', import.meta.url).pathname;
		return spawnSync('make', ['-s', '-C', top, ...args], { encoding: 'utf8', env });
	};
	const output = join(scratch, 'made.html');
	const file = new URL('../demo/lifo.jsonl', import.meta.url).pathname;

	assert.equal(make('demo-view').stdout, 'build/demo-view.html\n');
	assert.equal(
		make('view', `FILE=${file} ${file}`, `OUTPUT=${output}`).stdout,
		`${output}\n`
	);
	assert.match(readFileSync(output, 'utf8'), /^<!DOCTYPE html>/);
	const { status, stderr } = make('view');
	assert.equal(status, 2);
	assert.match(stderr, /say which recording: make view FILE=/);
});

test('a recording that is none is refused when the page is made', () => {
	const bad = join(scratch, 'bad.jsonl');
	const lines = texts.one.split('\n');

	writeFileSync(bad, [...lines.slice(0, 5), 'rubbish', ...lines.slice(5)].join('\n'));
	assert.deepEqual(view('-o', join(scratch, 'x.html'), bad), {
		status: 1,
		said: `view: ${bad}: line 6: not JSON; is this a recording of scripts/record?\n`,
	});
	assert.deepEqual(view('-o', join(scratch, 'x.html'), '/nowhere'), {
		status: 1,
		said: 'view: /nowhere: no such file\n',
	});
	assert.equal(view().status, 2);
	assert.equal(view('a', 'b', 'c').status, 2);
});

test('a recording that is none is refused when it is opened, and the old one stays', async () => {
	tab = await tabAt(context, one);
	await tab.locator('#open').setInputFiles({
		name: 'bad.jsonl',
		mimeType: 'text/plain',
		buffer: Buffer.from('{"type":"header","format":"pocketmm-recording","version":9}'),
	});
	await tab.locator('#message').waitFor();
	assert.equal(
		await text('#message'),
		'bad.jsonl: line 1: header: this viewer reads version 1'
	);
	assert.equal(await tab.locator('.view').count(), 1);
	await tab.locator('#open').setInputFiles({
		name: 'good.jsonl',
		mimeType: 'text/plain',
		buffer: Buffer.from(texts.other),
	});
	await tab.locator('#message').waitFor({ state: 'hidden' });
	assert.equal(await tab.title(), `${new Recording(texts.other).title} – pocketmm`);
});

test('what a recording says is text, whatever it says', async () => {
	const evil = texts.one
		.replace(/"title":"[^"]*"/, '"title":"</script><img src=x onerror=alert(1)>"')
		.replace(/"text":"[^"]*"/, '"text":"<!--<script>"');
	tab = await tabAt(context, pageOf('evil', evil));

	assert.equal(await text('h2'), '</script><img src=x onerror=alert(1)>');
	assert.equal(await tab.locator('img').count(), 0);
});

test('the picture in docs/ is that of the demo', () => {
	const made = join(scratch, 'viewer.svg');

	execFileSync('node', [new URL('../picture.js', import.meta.url).pathname, made]);
	assert.equal(
		readFileSync(made, 'utf8'),
		readFileSync(new URL('../../docs/viewer.svg', import.meta.url), 'utf8')
	);
});

test('each recording of the demo ends in what was recorded', () => {
	for (const name of ['era-2.4', 'modern', 'lifo', 'packed'])
		assert.ok(new Recording(demo(name)).verified, name);
});

// What docs/viewer.md says of them.
test("of the demo's last two one has one free block of 512 pages left, the other three", () => {
	const whole = ['lifo', 'packed'].map((name) => {
		const recording = new Recording(demo(name));
		recording.seek(recording.marks.at(-1).position);
		return recording.replay.count[9];
	});

	assert.deepEqual(whole, [1, 3]);
});

// --- large -------------------------------------------------------------------------------------

test('16384 pages, 100000 events', async (t) => {
	const large = randomRecording({
		seed: 1,
		events: 100000,
		pages: 16384,
		era: '2.4',
		marks: 5,
		title: 'large',
	});
	const url = pageOf('large', large),
		begun = performance.now();
	tab = await tabAt(context, url);
	await until('globalThis.pocketmm?.views.length === 1');
	t.diagnostic(`opened in ${Math.round(performance.now() - begun)} ms`);
	assert.equal(await text('.good'), 'checked');

	for (const [what, act] of [
		['step', 'pocketmm.goTo(pocketmm.place + 1)'],
		['step back', 'pocketmm.goTo(pocketmm.place - 1)'],
		['a hundred steps', 'pocketmm.goTo(pocketmm.place + 100)'],
		['seek anywhere', 'pocketmm.goTo((pocketmm.place * 7919 + 12345) % 100000)'],
	])
		t.diagnostic(`${what}: ${await costs(act)}`);
	await goTo(50000);
	await tab.evaluate('pocketmm.views[0].select(5000)');
	await screenshot('large');
});

// The time that one such frame takes, of forty, and how many blocks are painted.
function costs(act) {
	return tab.evaluate(`(() => {
		const times = [];
		pocketmm.goTo(50000);
		const before = pocketmm.views[0].map.painted;
		for (let i = 0; i < 40; i++) {
			const begun = performance.now();
			${act};
			pocketmm.views[0].drawOverlay();
			times.push(performance.now() - begun);
		}
		times.sort((a, b) => a - b);
		const painted = (pocketmm.views[0].map.painted - before) / 40;
		return times[20].toFixed(1) + ' ms, at most ' + times[39].toFixed(1) + ' ms; ' + painted.toFixed(0) + ' blocks painted';
	})()`);
}
