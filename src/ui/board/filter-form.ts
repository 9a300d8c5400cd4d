import { byId, element } from './dom.js';
import type { ListQuery } from './list-query.js';

/** The form above the list. What it asks for is in the page's url once it is sent. */
export class FilterForm {
  private readonly form = byId('filters', HTMLFormElement);

  /** @param current What is shown now, to which the form adds. */
  constructor(onSearch: (query: ListQuery) => void, current: () => ListQuery) {
    const search = (): void => onSearch(current().from(this.form));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      search();
    });
    // The fields are empty only after the event.
    this.form.addEventListener('reset', () => setTimeout(search));
    this.form.querySelector('select')?.addEventListener('change', search);
  }

  show(query: ListQuery): void {
    query.fill(this.form);
    if (query.isDetailed) byId('more', HTMLDetailsElement).open = true;
  }

  /** Lets people choose among the upload types, where there is a choice. */
  offerTypes(types: readonly { readonly type: string }[]): void {
    const select = this.form.querySelector('select');
    if (types.length < 2 || !select) return;
    const chosen = new URLSearchParams(location.search).get('type') ?? '';
    select.append(...types.map(({ type }) => element('option', { value: type }, type)));
    select.value = chosen;
    byId('type-filter', HTMLElement).hidden = false;
  }
}
