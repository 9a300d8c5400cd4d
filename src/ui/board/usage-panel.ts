import type { UsageBody, UsageStatesBody } from '../../admin/admin-usage.response.js';
import type { AdminApi } from './admin-api.js';
import { button, element } from './dom.js';
import { formatBytes, formatInstant, formatUploads } from './format.js';
import { Panel, type PanelView } from './panel.js';

const STATES = {
  in_progress: 'In progress',
  complete: 'Complete',
  expired: 'Expired',
  failed: 'Failed',
  deleting: 'Being deleted',
  total: 'Total',
} as const satisfies Record<keyof UsageStatesBody, string>;

/** How much is stored, by type and by user. Counting is a pass over the tables, so it is done when somebody asks. */
export function createUsagePanel(api: AdminApi): Panel {
  const load = async (): Promise<PanelView> => {
    const usage = await api.usage();
    const properties = { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': 'Storage' };
    return {
      news: `Counted ${formatInstant(new Date().toISOString())}.`,
      content: [element('div', properties, tableOf(usage))],
    };
  };
  const panel: Panel = new Panel('usage', {
    load,
    controls: [button('Count again', () => void panel.refresh())],
  });
  return panel;
}

function tableOf({ total, types }: UsageBody): HTMLTableElement {
  const head = ['', ...Object.values(STATES)].map((name) =>
    name === '' ? element('td') : element('th', { scope: 'col' }, name),
  );
  const lines = types.flatMap((type) => [
    lineOf(type.type, type, 'type'),
    ...type.users.map((user) => lineOf(user.user_id ?? 'anonymous', user, 'user')),
  ]);
  const all = types.length > 1 ? [lineOf('All types', total, 'type')] : [];
  return element(
    'table',
    { class: 'plain' },
    element('caption', { class: 'unseen' }, 'Uploads and bytes by type and by the users with most bytes'),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...all, ...lines),
  );
}

function lineOf(name: string, states: UsageStatesBody, kind: string): HTMLTableRowElement {
  const cells = (Object.keys(STATES) as (keyof UsageStatesBody)[]).map((state) => {
    const { uploads, bytes } = states[state];
    return element(
      'td',
      { title: formatUploads(uploads) },
      `${formatBytes(bytes)} in ${uploads.toLocaleString()}`,
    );
  });
  return element('tr', { class: kind }, element('th', { scope: 'row' }, name), ...cells);
}
