import bytes from 'bytes';

/** A text of somebody else's as one line of a terminal: nothing in it moves the cursor or hides what stands there. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Bytes for people, such as `1.4 MB` (powers of 1024). */
export function size(value: number): string {
  return bytes.format(value, { unitSeparator: ' ' }) ?? `${value} B`;
}

/** A moment, in UTC to the second. */
export function moment(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

/** Columns under their names, as wide as they must be. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [names, ...rows];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
