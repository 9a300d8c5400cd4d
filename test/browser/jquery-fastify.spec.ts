import { describeJqueryFileUpload } from './support/jquery-suite.js';

describeJqueryFileUpload('fastify');
