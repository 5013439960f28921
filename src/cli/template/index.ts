export * from './errors.ts';
export { goJson, type TemplateFunction } from './functions.ts';
export { GoNil, noValue, type TypedObject, typeName } from './go-value.ts';
export { Template } from './template.ts';
