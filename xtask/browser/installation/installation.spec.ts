/**
 * What has to hold before the application can be tried: it installs with the packed library, and its types fit.
 */

import { test } from '@playwright/test';
import { install } from '../support/application.ts';

test('the example installs with the library as it is packed', install);
