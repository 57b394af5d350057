import { describeMatrix } from './support/matrix.ts'

describeMatrix('2.6')
