// SPDX-License-Identifier: GPL-2.0-only
//
// A headless Chromium for the tests, which notes all that the page complains of and all
// that it asks the network for; and pages made by viewer/view.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const viewer = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = execFileSync(join(viewer, 'view'), ['--modules'], { encoding: 'utf8' }).trim();
const { chromium } = createRequire(join(modules, 'x.js'))('playwright-core');

export const build = join(viewer, '..', 'build', 'viewer');
export const scratch = mkdtempSync(join(tmpdir(), 'pocketmm-viewer.'));

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

// A file of viewer/view from recordings given as text.
export function pageOf(name, ...texts) {
	const files = texts.map((text, i) => {
		const file = join(scratch, `${name}-${i}.jsonl`);
		writeFileSync(file, text);
		return file;
	});
	const output = join(scratch, `${name}.html`);

	execFileSync(join(viewer, 'view'), ['-o', output, ...files]);
	return `file://${output}`;
}

// What viewer/view says and its exit status.
export function view(...args) {
	const { status, stdout, stderr } = spawnSync(join(viewer, 'view'), args, {
		encoding: 'utf8',
	});

	return { status, said: stdout + stderr };
}

export async function launch(options = {}) {
	const directory = mkdtempSync(join(scratch, 'profile.'));

	return chromium.launchPersistentContext(directory, {
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		headless: true,
		args: FLAGS,
		viewport: { width: 1280, height: 800 },
		...options,
	});
}

// Resolves when the browser has laid the page out, told its observers and painted it.
const painted = () =>
	new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));

// A tab; tab.complaints has errors, warnings and requests that left the machine's disk.
export async function tabAt(context, url, media = {}) {
	const tab = await context.newPage();

	tab.setDefaultTimeout(120_000); // a busy machine is slow
	tab.complaints = [];
	tab.on('console', (message) => tab.complaints.push(`console: ${message.text()}`));
	tab.on('pageerror', (error) => tab.complaints.push(`error: ${error.stack}`));
	tab.on('request', (request) => {
		if (!/^(file|data|blob):/.test(request.url()))
			tab.complaints.push(`request: ${request.url()}`);
	});
	await tab.emulateMedia(media);
	await tab.goto(url);
	await tab.evaluate(painted);
	return tab;
}

export function tidy() {
	rmSync(scratch, { recursive: true, force: true });
}
