// SPDX-License-Identifier: GPL-2.0-only
//
// Colours.  Orders are one ordinal scale, whose lightness grows or falls all the way: the
// smaller a free block, the more it stands out from the ground, so that fragmentation
// catches the eye first.  The states of used blocks have colours of Okabe and Ito's
// palette and a texture each: no meaning rests on colour alone.

export const THEMES = {
	light: {
		ground: '#fbfaf7',
		panel: '#ffffff',
		ink: '#23262b',
		faint: '#6b7078',
		line: '#dedad2',
		orders: [
			'#2b1a4f',
			'#33306f',
			'#31488a',
			'#2b6197',
			'#28799b',
			'#32919b',
			'#4ea998',
			'#7cc19a',
			'#acd6a8',
			'#d3e8c4',
		],
		used: '#b5afa6',
		usedInk: '#857e74',
		area: '#d55e00',
		areaInk: '#ffd2ab',
		parked: '#cc79a7',
		parkedInk: '#6d2a4f',
		vmalloc: '#d55e00',
		vmap: '#4a9fd0',
		ioremap: '#009e73',
		lazy: '#d9d4cb',
		guard: '#5b4a3f',
		select: '#0b57d0',
		buddy: '#b3261e',
		hand: '#111111',
	},
	dark: {
		ground: '#14171c',
		panel: '#1b1f26',
		ink: '#e6e6e3',
		faint: '#9aa1ab',
		line: '#30363f',
		orders: [
			'#fbeb7a',
			'#d3e26a',
			'#9fd56b',
			'#6cc47b',
			'#45b08a',
			'#2f9a92',
			'#2a8395',
			'#2b6c90',
			'#2c5583',
			'#2a3f6b',
		],
		used: '#6a6e77',
		usedInk: '#989da8',
		area: '#e8702a',
		areaInk: '#5a2200',
		parked: '#cc79a7',
		parkedInk: '#4a1733',
		vmalloc: '#e8702a',
		vmap: '#56b4e9',
		ioremap: '#12b886',
		lazy: '#3a4049',
		guard: '#cdb9a6',
		select: '#8ab4ff',
		buddy: '#ff8a80',
		hand: '#ffffff',
	},
};

// The colour of readable text on a colour.
export function inkOn(colour) {
	const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);

	return 0.299 * r + 0.587 * g + 0.114 * b > 0.55 ? '#1a1a1a' : '#ffffff';
}

export function mix(from, to, part) {
	const channel = (at) => {
		const [a, b] = [from, to].map((colour) => parseInt(colour.slice(at, at + 2), 16));
		return Math.round(a + (b - a) * part)
			.toString(16)
			.padStart(2, '0');
	};

	return `#${channel(1)}${channel(3)}${channel(5)}`;
}
