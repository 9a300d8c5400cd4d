import { byId, element } from './dom.js';

/** A part of the page that is closed at first, and asks the server only when it is opened. */
export class Panel {
  private readonly details: HTMLDetailsElement;
  private readonly content: HTMLElement;

  constructor(
    id: string,
    private readonly load: () => Promise<readonly Node[]>,
  ) {
    this.details = byId(id, HTMLDetailsElement);
    this.content = this.details.querySelector('.content') ?? this.details;
    this.details.addEventListener('toggle', () => void this.refresh());
  }

  get isOpen(): boolean {
    return this.details.open;
  }

  /** Shows what there is now, or why it cannot be shown. */
  async refresh(): Promise<void> {
    if (!this.isOpen) return;
    try {
      this.content.replaceChildren(...(await this.load()));
    } catch (error) {
      this.content.replaceChildren(element('p', { class: 'bad', role: 'alert' }, (error as Error).message));
    }
  }
}
