/** A list of rows under a heading; the section is there while it has something to show. */
export class RowList {
  private readonly list: HTMLElement;
  private readonly heading: HTMLElement;
  private readonly note: HTMLElement;
  private isExplained = false;

  /** @param section with a heading, a paragraph `.note` and a list. */
  constructor(private readonly section: HTMLElement) {
    this.heading = part(section, 'h2');
    this.note = part(section, '.note');
    this.list = part(section, 'ul');
  }

  get hasFocus(): boolean {
    return this.section.contains(document.activeElement);
  }

  append(row: HTMLElement): void {
    this.list.append(row);
    this.refresh();
  }

  prepend(row: HTMLElement): void {
    this.list.prepend(row);
    this.refresh();
  }

  /** Takes a row off; a keyboard that was on it goes on with its neighbour, or with `next`, and never on what deletes. */
  remove(row: HTMLElement, next: HTMLElement): void {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    this.refresh();
    if (hadFocus) (neighbour?.querySelector<HTMLElement>('button:not([hidden], .deletes)') ?? next).focus();
  }

  replace(rows: readonly HTMLElement[]): void {
    this.list.replaceChildren(...rows);
    this.refresh();
  }

  /** Says something about the list, also where it is empty; nothing with an empty text. */
  explain(text: string): void {
    this.note.textContent = text;
    this.isExplained = text !== '';
    this.refresh();
  }

  private refresh(): void {
    const count = this.list.childElementCount;
    this.heading.dataset.count = String(count);
    this.section.hidden = count === 0 && !this.isExplained;
  }
}

function part(section: HTMLElement, selector: string): HTMLElement {
  const found = section.querySelector<HTMLElement>(selector);
  if (found) return found;
  throw new Error(`#${section.id} has no ${selector}.`);
}
