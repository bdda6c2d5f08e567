// SPDX-License-Identifier: GPL-2.0-only
//
// Small helpers for the document.

// element('td', { class: 'nr', onclick }, 'text', another element...)
export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);

	for (const [key, value] of Object.entries(attributes))
		if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
		else if (value !== undefined && value !== false)
			made.setAttribute(key, value === true ? '' : value);
	made.append(...children.filter((child) => child !== null && child !== undefined));
	return made;
}

export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

// A row of a table; anything but an element becomes a cell.
export function rowOf(...cells) {
	const made = cells.map((cell) =>
		cell instanceof Element ? cell : element('td', {}, String(cell))
	);

	return element('tr', {}, ...made);
}

export function tableOf(headings, rows, attributes = {}) {
	const head = headings.map((text) => element('th', { scope: 'col' }, text));

	return element(
		'table',
		attributes,
		element('thead', {}, rowOf(...head)),
		element('tbody', {}, ...rows)
	);
}
