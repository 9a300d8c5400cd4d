import { format, resolveConfig } from 'prettier';

/** The mutants as a table of Markdown, as it stands in docs/testing.md. */
export async function renderTable(mutants) {
  const rows = mutants.map(({ name, breaks, killedBy: { suite, test } }) => [
    name,
    breaks,
    `\`${suite}\`: ${test}`,
  ]);
  const lines = [['mutant', 'what it breaks', 'killed by'], ['-', '-', '-'], ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  const style = await resolveConfig(import.meta.filename);
  return format(lines.join('\n'), { ...style, parser: 'markdown' });
}
