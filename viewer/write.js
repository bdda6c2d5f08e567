// SPDX-License-Identifier: GPL-2.0-only
//
// Writing a file that may be there already.

import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

// Node's own recursive mkdir() never ends in /proc.
function makeDirectory(path) {
	if (existsSync(path)) return;
	makeDirectory(dirname(path));
	mkdirSync(path);
}

// All of the text becomes the file's, or the old contents stay.  A device is written to.
export function replaceFile(path, text) {
	const there = statSync(path, { throwIfNoEntry: false });
	const direct = there && !there.isFile() && !there.isDirectory();
	const beside = direct ? path : `${path}.${process.pid}`;

	makeDirectory(dirname(path));
	try {
		writeFileSync(beside, text);
		if (!direct) renameSync(beside, path);
	} catch (error) {
		if (!direct) rmSync(beside, { force: true });
		throw error;
	}
}

// The same, or one line that says why not, and the end.
export function writeOrFail(path, text) {
	try {
		replaceFile(path, text);
	} catch (error) {
		console.error(`view: cannot write ${path}: ${error.message}`);
		process.exit(1);
	}
}
