import type { ChunkedUpload, ChunkedUploadError, UploadState } from '../../client/index.js';
import { element, fileButton, nameButton, setShown } from './dom.js';
import { wordsFor } from './error-words.js';
import { describeProgress } from './state-words.js';

/** States in which somebody may want to stop for a while. */
const PAUSABLE: readonly UploadState[] = ['waiting', 'offline', 'uploading'];

/** An upload of this visit: how far it is, and the buttons for it. */
export class UploadRow {
  readonly element: HTMLLIElement;
  private readonly bar = element('progress', { props: { max: 1, value: 0 } });
  private readonly status = element('p', { props: { className: 'status' } });
  private readonly trouble = element('p', { props: { className: 'trouble', hidden: true } });
  private readonly pause: HTMLButtonElement;
  private readonly again: HTMLButtonElement;
  private readonly cancel: HTMLButtonElement;

  constructor(
    private readonly upload: ChunkedUpload,
    private readonly file: File,
  ) {
    const { name } = file;
    this.bar.setAttribute('aria-label', name);
    this.pause = fileButton('Pause', name, () => this.pauseOrResume());
    this.again = fileButton('Try again', name, () => this.tryAgain());
    this.cancel = fileButton('Cancel', name, () => void upload.cancel().catch(() => undefined));
    this.element = this.layOut();
    upload.on('progress', () => this.show());
    upload.on('statechange', (state) => this.enter(state));
    upload.on('retry', ({ error }) => this.complain(error));
    upload.on('error', (error) => this.complain(error));
    this.enter(upload.state);
    this.show();
  }

  get hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }

  private layOut(): HTMLLIElement {
    const title = element('h3', { children: [this.file.name] });
    const buttons = element('div', { props: { className: 'buttons' } });
    buttons.append(this.again, this.pause, this.cancel);
    const about = element('div', { props: { className: 'about' }, children: [title, this.status] });
    return element('li', { props: { className: 'row' }, children: [about, buttons, this.bar, this.trouble] });
  }

  private pauseOrResume(): void {
    if (this.upload.state === 'paused') this.upload.resume();
    else this.upload.pause();
  }

  private tryAgain(): void {
    if (this.upload.state === 'failed') void this.upload.start().catch(() => undefined);
    else this.upload.resume();
  }

  private show(): void {
    const { progress } = this.upload;
    const size = progress.size ?? this.file.size;
    this.bar.value = size === 0 ? Number(progress.state === 'complete') : progress.bytesSent / size;
    this.status.textContent = describeProgress(progress, this.file);
  }

  private enter(state: UploadState): void {
    this.element.dataset.state = state;
    const isTroubled = ['waiting', 'failed'].includes(state) && !this.trouble.hidden;
    if (!isTroubled) this.trouble.hidden = true;
    nameButton(this.pause, state === 'paused' ? 'Resume' : 'Pause', this.file.name);
    setShown(this.pause, state === 'paused' || PAUSABLE.includes(state), this.cancel);
    setShown(this.again, isTroubled, this.cancel);
  }

  /** What is wrong, until it goes on. */
  private complain(error: ChunkedUploadError): void {
    this.trouble.textContent = wordsFor(error);
    this.trouble.hidden = false;
    nameButton(this.again, this.upload.state === 'failed' ? 'Try again' : 'Try now', this.file.name);
    this.again.hidden = false;
  }
}
