/** Characters that take two columns of a terminal, and such that take none. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
/** Half-width forms of the scripts above. */
const NARROW = /[\uff61-\uffdc]/u;
const NO_COLUMN = /[\p{Mn}\p{Me}]/u;

/** What a person sees as one character may be several. */
const CHARACTERS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  return charactersOf(text).reduce((sum, character) => sum + widthOf(character), 0);
}

/** A text in exactly so many columns: padded, or cut in the middle, so that the end of a file name stays. */
export function fitted(text: string, columns: number): string {
  const missing = columns - columnsOf(text);
  if (missing >= 0) return text + ' '.repeat(missing);
  if (columns < 1) return '';
  const characters = charactersOf(text);
  const tail = taken([...characters].reverse(), Math.floor((columns - 1) / 2)).reverse();
  const head = taken(characters, columns - 1 - columnsOf(tail.join('')));
  const cut = `${head.join('')}~${tail.join('')}`;
  return cut + ' '.repeat(columns - columnsOf(cut));
}

/** A span of time for people: `45 s`, `12 min`, `1 h 20 min`, `3 d 4 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function charactersOf(text: string): string[] {
  return Array.from(CHARACTERS.segment(text), ({ segment }) => segment);
}

function widthOf(character: string): number {
  const [first = ''] = character;
  if (NO_COLUMN.test(first)) return 0;
  return WIDE.test(first) && !NARROW.test(first) ? 2 : 1;
}

/** The first characters, as many as fit. */
function taken(characters: readonly string[], columns: number): string[] {
  const fitting: string[] = [];
  let left = columns;
  for (const character of characters) {
    left -= widthOf(character);
    if (left < 0) break;
    fitting.push(character);
  }
  return fitting;
}
