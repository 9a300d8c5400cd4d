/** The JSON object in a body; empty when it is none, as an app may answer as it likes. */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  return Object(jsonIn(text)) as Record<string, unknown>;
}

/** The JSON in a body; the text when it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
