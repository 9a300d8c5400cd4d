import type { CleanupBody, CleanupRunBody } from '../../admin/admin-cleanup.response.js';
import type { AdminApi } from './admin-api.js';
import { button, element, setBusy, setText } from './dom.js';
import { formatBytes, formatDistance, formatInstant, formatUploads } from './format.js';
import { Panel, type PanelView } from './panel.js';
import { ask } from './question.js';

/** Between two looks at a cleanup that runs. */
const REFRESH_MS = 1_000;

/** The last cleanups, and new ones. @param isReadOnly Whether there are none to be run from here. */
export function createCleanupPanel(api: AdminApi, isReadOnly: boolean): Panel {
  const refusal = element('p', { class: 'bad', role: 'alert' });
  const buttons = isReadOnly ? [] : buttonsOf((isDryRun) => void run(isDryRun));
  const load = async (): Promise<PanelView> => {
    const cleanups = await api.cleanup();
    const isBusy = isRunning(cleanups);
    if (isBusy) setTimeout(() => void panel.refresh(), REFRESH_MS);
    for (const each of buttons) setBusy(each, isBusy);
    return { news: byHand(cleanups), content: [jobsOf(cleanups)] };
  };
  const panel: Panel = new Panel('cleanup', { load, controls: [...buttons, refusal] });
  const run = async (isDryRun: boolean): Promise<void> => {
    setText(refusal, '');
    const running = api.runCleanup(isDryRun).catch(({ message }: Error) => setText(refusal, message));
    // The answer comes at the end; meanwhile it can be watched.
    setTimeout(() => void panel.refresh(), REFRESH_MS / 4);
    await running;
    await panel.refresh();
  };
  return panel;
}

function buttonsOf(run: (isDryRun: boolean) => void): HTMLButtonElement[] {
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
    button('Dry run', () => run(true)),
    button('Run now…', () => void runAfterQuestion(), { class: 'danger' }),
  ];
}

function isRunning({ last }: CleanupBody): boolean {
  return last !== null && last.finished_at === null;
}

function byHand({ last }: CleanupBody): string {
  return `By hand: ${last ? describe(last) : 'not yet.'}`;
}

function jobsOf({ scheduled }: CleanupBody): HTMLElement {
  const jobs = scheduled.map(({ type, cron, next_at, last: run }) =>
    element(
      'li',
      {},
      element('strong', {}, type),
      ` by the clock (${cron}), next ${formatDistance(next_at, Date.now())}. `,
      run ? describe(run) : 'Not run here yet.',
    ),
  );
  return element('ul', { class: 'runs' }, ...jobs);
}

function describe({ started_at, finished_at, report, dry_run, error }: CleanupRunBody): string {
  // Counted anew each second, it would be read out each second.
  const ago = finished_at === null ? '' : `, ${formatDistance(started_at, Date.now())}`;
  const what = report ? `${formatUploads(report.rows)} (${formatBytes(report.bytes)})` : 'nothing yet';
  const did = dry_run ? `a dry run found ${what} to delete` : `deleted ${what}`;
  const failures = report && report.failures > 0 ? `, ${report.failures} failed` : '';
  const end = error !== null ? `; it ended early: ${error}` : finished_at === null ? '; running…' : '';
  return `${formatInstant(started_at)}${ago}: ${did}${failures}${end}.`;
}
