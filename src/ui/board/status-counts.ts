import type { StatusCounts as Counts } from '../../persistence/admin-counts.js';
import type { AdminStatus } from '../../persistence/admin.repository.js';
import { button, element, setText } from './dom.js';
import { STATUS_NAMES } from './format.js';

/** One button for each status, with how many uploads have it: the filter by status. */
export class StatusCounts {
  private readonly buttons = new Map<AdminStatus | '', HTMLButtonElement>();

  /** @param onChoose Called with the status, or an empty text for all. */
  constructor(place: HTMLElement, onChoose: (status: AdminStatus | '') => void) {
    const statuses = Object.entries({ '': 'All', ...STATUS_NAMES }) as [AdminStatus | '', string][];
    for (const [status, name] of statuses) {
      const made = button(name, () => onChoose(status), {
        class: `count ${status}`,
        'aria-pressed': 'false',
      });
      made.append(' ', element('span', { class: 'number' }));
      this.buttons.set(status, made);
    }
    place.append(...this.buttons.values());
  }

  /** Marks the one that is the filter. */
  choose(chosen: string): void {
    for (const [status, { ariaPressed }] of this.buttons) {
      const pressed = String(status === chosen);
      if (ariaPressed !== pressed) this.buttons.get(status)?.setAttribute('aria-pressed', pressed);
    }
  }

  show(counts: Counts): void {
    // The expired ones are among the others, too.
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0) - counts.expired;
    for (const [status, { lastElementChild }] of this.buttons) {
      const count = status === '' ? all : counts[status];
      if (lastElementChild) setText(lastElementChild, count.toLocaleString());
    }
  }
}
