import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { UploadHealth, type UploadHealthReport } from '../upload-health.js';

/** Answers 200 when uploads can be taken, 503 when database or storage cannot. */
@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(private readonly health: UploadHealth) {}

  @Get()
  async check(): Promise<UploadHealthReport & { status: 'ok' }> {
    const report = await this.health.check();
    if (report.database === 'up' && report.storage === 'up') return { status: 'ok', ...report };
    throw new ServiceUnavailableException({ status: 'unavailable', ...report });
  }
}
