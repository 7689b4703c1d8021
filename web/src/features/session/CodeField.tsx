import { Alert, TextInput, type TextInputProps } from '@mantine/core';
import { messageOf, Problem } from '@/api/problem';
import { focusOnMount } from './Frame';

/** Whether address and password were right, and a code is what is missing. */
export const wantsCode = (error: unknown) =>
  error instanceof Problem && (error.code === 'second_factor_needed' || error.code === 'wrong_code');

/** The field for a code, with what was wrong with the last one. */
export function CodeField({ problem, ...input }: TextInputProps & { problem: unknown }) {
  const isWrong = problem instanceof Problem && problem.code !== 'second_factor_needed';
  return (
    <>
      {isWrong && <Alert color="red">{messageOf(problem)}</Alert>}
      <TextInput
        label="Code"
        description="The six digits that your authenticator app shows, or a recovery code."
        autoComplete="one-time-code"
        ref={focusOnMount}
        {...input}
      />
    </>
  );
}
