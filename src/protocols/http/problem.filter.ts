import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { UploadError } from '../../errors/upload-error.js';
import { HttpExchange } from './http-exchange.js';
import { type ProblemResponse, renderHttpException, renderProblem, type StatusTable } from './problem.js';
import type { DoorSettings } from '../../upload-type.js';
import { discardUnreadBody } from './unread-body.js';
import { writeBody } from './write-body.js';

/** Failures that say nothing about the server. */
const EXPECTED = new Set(['shutting_down']);

/** Answers whatever a route of a door throws, and whatever the app's guards throw there, as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('ChunkedUpload');

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly statuses: StatusTable,
    private readonly door: Pick<DoorSettings, 'response'> = { response: null },
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const exchange = new HttpExchange(this.host.httpAdapter, http.getRequest(), http.getResponse());
    const { incoming, outgoing } = exchange;
    const isGone = incoming.destroyed && !incoming.complete;
    const problem = this.render(error, isGone);
    if (isGone || outgoing.headersSent || outgoing.destroyed) {
      outgoing.destroy();
      return;
    }
    discardUnreadBody(exchange);
    for (const [name, value] of Object.entries(problem.headers)) exchange.setHeader(name, value);
    exchange.reply(problem.status, writeBody(exchange, this.door, problem.body));
  }

  private render(error: unknown, isGone: boolean): ProblemResponse {
    if (error instanceof HttpException) return renderHttpException(error);
    const refusal = UploadError.is(error)
      ? error
      : new UploadError('internal_error', 'The server failed. Ask for the offset before trying again.', {
          cause: error,
        });
    const problem = renderProblem(refusal, this.statuses);
    if (problem.status >= 500 && !isGone && !EXPECTED.has(refusal.code)) {
      const { cause } = refusal;
      this.logger.error(
        `${refusal.code}: ${cause instanceof Error ? (cause.stack ?? cause.message) : refusal.message}`,
      );
    }
    return problem;
  }
}
