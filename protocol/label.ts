/** Tags and notes that people give to sweeps and trials. They decide nothing: no trial, no place, no answer depends on them. */
import { listOf, textOf } from "./bound.ts";

const tagCharactersMax = 50;
/** Of one sweep or trial. */
export const tagsMax = 20;
export const tagForm = "1 to 50 characters without white space or commas, and starts with a letter or digit";
const tagRule = `a tag is ${tagForm}`;

/** One word of a command line, whatever sign stands before it there. */
export const tagSchema = textOf(tagCharactersMax, tagRule).regex(
  /^[\p{L}\p{N}](?:(?!,)[\p{L}\p{M}\p{N}\p{P}\p{S}])*$/u,
  tagRule,
);

/** Tags given and taken away; a sweep or trial keeps those that are not named. */
export const tagChange = {
  add: listOf(tagSchema, tagsMax).default([]),
  remove: listOf(tagSchema, tagsMax).default([]),
};
