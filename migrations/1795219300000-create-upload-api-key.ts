import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The table of `UploadApiKey`, with the names TypeORM gives: later migrations can be generated against it. */
export class CreateUploadApiKey1795219300000 implements MigrationInterface {
  readonly name = 'CreateUploadApiKey1795219300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "chunked_upload_api_key" (
      "id" uuid NOT NULL,
      "user_id" text NOT NULL,
      "label" text NOT NULL DEFAULT '',
      "hash" bytea NOT NULL,
      "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      "last_used_at" TIMESTAMP(3) WITH TIME ZONE,
      "expires_at" TIMESTAMP(3) WITH TIME ZONE,
      "revoked_at" TIMESTAMP(3) WITH TIME ZONE,
      CONSTRAINT "PK_f62122b5247b1f4676408d22c76" PRIMARY KEY ("id")
    )`);
    await runner.query(
      `CREATE INDEX "IDX_0fc7c486cbe402dc2579492048" ON "chunked_upload_api_key" ("user_id")`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "chunked_upload_api_key"`);
  }
}
