import { button, byId, element } from './dom.js';

/** What somebody is asked before something is done. */
export interface Question<Answer> {
  readonly title: string;
  readonly text: string;
  /** What can be answered, by the text of its button. */
  readonly answers: readonly { readonly text: string; readonly value: Answer }[];
  /** Whether there is no way back. */
  readonly isDangerous: boolean;
}

/** Asks in a dialog. Null: never mind. */
export function ask<Answer>({ title, text, answers, isDangerous }: Question<Answer>): Promise<Answer | null> {
  const dialog = byId('question', HTMLDialogElement);
  return new Promise((resolve) => {
    let given: Answer | null = null;
    const choose = (answer: Answer | null): void => {
      given = answer;
      dialog.close();
    };
    const buttons = answers.map((answer) =>
      button(answer.text, () => choose(answer.value), { class: isDangerous ? 'danger' : 'primary' }),
    );
    // First in order, so that it has the focus: Enter by mistake does nothing.
    const away = button('Never mind', () => choose(null));
    dialog.replaceChildren(
      element('h2', { id: 'question-title' }, title),
      element('p', {}, text),
      element('div', { class: 'buttons' }, away, ...buttons),
    );
    // Escape closes it, too.
    dialog.addEventListener('close', () => resolve(given), { once: true });
    dialog.showModal();
  });
}
