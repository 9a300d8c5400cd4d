import type { CleanupBody, CleanupRunBody } from '../../admin/admin-cleanup.response.js';
import type { AdminApi } from './admin-api.js';
import { button, element } from './dom.js';
import { formatBytes, formatDistance, formatInstant, formatUploads } from './format.js';
import { Panel } from './panel.js';
import { ask } from './question.js';

/** Between two looks at a cleanup that runs. */
const REFRESH_MS = 1_000;

/** The last cleanups, and new ones. @param isReadOnly Whether there are none to be run from here. */
export function createCleanupPanel(api: AdminApi, isReadOnly: boolean): Panel {
  let refusal: string | null = null;
  const panel: Panel = new Panel('cleanup', async () => {
    const cleanups = await api.cleanup();
    if (isRunning(cleanups)) setTimeout(() => void panel.refresh(), REFRESH_MS);
    const actions = element('div', { class: 'buttons' });
    if (!isReadOnly) actions.append(...buttonsOf((isDryRun) => void run(isDryRun), isRunning(cleanups)));
    const note = refusal === null ? null : element('p', { class: 'bad', role: 'alert' }, refusal);
    return [...linesOf(cleanups), ...(note ? [note] : []), actions];
  });
  const run = async (isDryRun: boolean): Promise<void> => {
    refusal = null;
    const running = api.runCleanup(isDryRun).catch((error: Error) => (refusal = error.message));
    // The answer comes at the end; meanwhile it can be watched.
    setTimeout(() => void panel.refresh(), REFRESH_MS / 4);
    await running;
    await panel.refresh();
  };
  return panel;
}

function buttonsOf(run: (isDryRun: boolean) => void, isRunning: boolean): HTMLButtonElement[] {
  const runAfterQuestion = async (): Promise<void> => {
    const agreed = await ask({
      title: 'Run the cleanup now?',
      text: 'It deletes all uploads that have expired, of all types. A dry run tells how many there are.',
      answers: [{ text: 'Delete them', value: true }],
      isDangerous: true,
    });
    if (agreed) run(false);
  };
  return [
    button('Dry run', () => run(true), { disabled: isRunning }),
    button('Run now…', () => void runAfterQuestion(), { disabled: isRunning, class: 'danger' }),
  ];
}

function isRunning({ last }: CleanupBody): boolean {
  return last !== null && last.finished_at === null;
}

function linesOf({ last, scheduled }: CleanupBody): HTMLElement[] {
  const jobs = scheduled.map(({ type, cron, next_at, last: run }) =>
    element(
      'li',
      {},
      element('strong', {}, type),
      ` by the clock (${cron}), next ${formatDistance(next_at, Date.now())}. `,
      run ? describe(run) : 'Not run here yet.',
    ),
  );
  const byHand = element('li', {}, element('strong', {}, 'By hand: '), last ? describe(last) : 'not yet.');
  return [element('ul', { class: 'runs' }, byHand, ...jobs)];
}

function describe({ started_at, finished_at, report, dry_run, error }: CleanupRunBody): string {
  const when = `${formatInstant(started_at)}, ${formatDistance(started_at, Date.now())}`;
  const what = report ? `${formatUploads(report.rows)} (${formatBytes(report.bytes)})` : 'nothing yet';
  const did = dry_run ? `a dry run found ${what} to delete` : `deleted ${what}`;
  const failures = report && report.failures > 0 ? `, ${report.failures} failed` : '';
  const end = error !== null ? `; it ended early: ${error}` : finished_at === null ? '; running…' : '';
  return `${when}: ${did}${failures}${end}.`;
}
