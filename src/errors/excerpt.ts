/** Longest excerpt, in UTF-16 units: enough to recognise a value, too little to flood a log. */
const MAX_EXCERPT_LENGTH = 80;

/**
 * A client's value as an error message may quote it: in double quotes, cut to 80 characters, with everything that
 * does not print (controls, line breaks, bidirectional marks, lone surrogates) as U+FFFD. Such characters would let
 * a client forge lines in the log that the message ends up in (CWE-117). Never throws.
 */
export function excerpt(value: string): string {
  const head = value.slice(0, MAX_EXCERPT_LENGTH).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
  return value.length > MAX_EXCERPT_LENGTH ? `"${head}…"` : `"${head}"`;
}
