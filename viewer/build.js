// SPDX-License-Identifier: GPL-2.0-only
//
// usage: node viewer/build.js OUTPUT RECORDING [RECORDING]
//
// Writes one HTML file that contains the viewer and the recordings and needs nothing
// else.  It checks the recordings first: a malformed line is an error.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError } from './format.js';
import { Recording } from './recording.js';
import { writeOrFail } from './write.js';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.VIEWER_MODULES ?? join(here, 'node_modules');
const MOST = 2;

function fail(why) {
	console.error(`view: ${why}`);
	process.exit(1);
}

function readRecording(path) {
	let text;

	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		fail(`${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
	}
	try {
		const { problem } = new Recording(text);
		if (problem) console.error(`view: ${path}: ${problem}`);
	} catch (error) {
		if (error instanceof FormatError) fail(`${path}: ${error.message}`);
		throw error;
	}
	return text;
}

// Escape '<' in JSON strings, so that no '</script>' in one ends the element early.
function scriptOf(path, text) {
	const name = basename(path).replace(/[&"<>]/g, '_');

	return `<script type="text/plain" class="recording" data-name="${name}">${text.replaceAll('<', '\\u003c')}</script>`;
}

function bundle() {
	const esbuild = createRequire(join(modules, 'x.js'))('esbuild');
	const { outputFiles } = esbuild.buildSync({
		entryPoints: [join(here, 'main.js')],
		bundle: true,
		write: false,
		outdir: 'out',
		minify: true,
		charset: 'utf8',
		legalComments: 'inline',
		target: 'es2022',
		format: 'iife',
		nodePaths: [modules],
		alias: { uplot: join(modules, 'uplot') },
	});
	const textOf = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text;

	return {
		script: textOf('.js').replaceAll('</script', '<\\/script'),
		style: textOf('.css'),
	};
}

export function buildPage(recordings) {
	const { script, style } = bundle();
	const parts = {
		'/*STYLE*/': style + readFileSync(join(here, 'style.css'), 'utf8'),
		'<!--RECORDINGS-->': recordings
			.map(([path, text]) => scriptOf(path, text))
			.join('\n'),
		'/*SCRIPT*/': script,
	};

	return readFileSync(join(here, 'page.html'), 'utf8').replace(
		/\/\*STYLE\*\/|<!--RECORDINGS-->|\/\*SCRIPT\*\//g,
		(part) => parts[part]
	);
}

function main([output, ...paths]) {
	if (!output || paths.length < 1 || paths.length > MOST)
		fail('usage: node viewer/build.js OUTPUT RECORDING [RECORDING]');
	const page = buildPage(paths.map((path) => [path, readRecording(path)]));
	writeOrFail(output, page);
	console.log(output);
}

main(process.argv.slice(2));
