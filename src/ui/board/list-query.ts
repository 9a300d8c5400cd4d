/** What the list can be asked for, as the API and the page's own url name it. */
const FILTERS = [
  'search',
  'type',
  'user_id',
  'owner_type',
  'owner_id',
  'created_after',
  'created_before',
] as const;

const PAGE_SIZE = '50';

/** Which part of the list is shown. It is kept in the page's url, so that a view can be reloaded and sent to somebody. */
export class ListQuery {
  private constructor(private readonly parameters: URLSearchParams) {}

  /** From a page's url; what means nothing here is left away. */
  static of(search: string): ListQuery {
    const given = new URLSearchParams(search);
    const known = [...FILTERS, 'status', 'cursor'].map((name) => [name, given.get(name) ?? '']);
    return new ListQuery(new URLSearchParams(known.filter(([, value]) => value !== '')));
  }

  get(name: string): string {
    return this.parameters.get(name) ?? '';
  }

  /** With other values, from the first page on unless one of them is a cursor. An empty value is none. */
  with(values: Readonly<Record<string, string>>): ListQuery {
    const all = { ...Object.fromEntries(this.parameters), cursor: '', ...values };
    return ListQuery.of(String(new URLSearchParams(all)));
  }

  /** Whether anything behind "More filters" is set. */
  get isDetailed(): boolean {
    return FILTERS.some((name) => name !== 'search' && name !== 'type' && this.get(name) !== '');
  }

  /** For the API. */
  get forApi(): URLSearchParams {
    return new URLSearchParams([...this.parameters, ['limit', PAGE_SIZE]]);
  }

  /** For the address bar. */
  get forUrl(): string {
    return this.parameters.size > 0 ? `?${this.parameters}` : location.pathname;
  }

  /** Shows the values in a form. */
  fill(form: HTMLFormElement): void {
    for (const name of FILTERS) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
        field.value = this.get(name);
    }
  }

  /** With what stands in a form. */
  from(form: HTMLFormElement): ListQuery {
    const values = new Map<string, string>();
    for (const [name, value] of new FormData(form))
      if (typeof value === 'string') values.set(name, value.trim());
    return this.with(Object.fromEntries(values));
  }
}
