import { Button } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { messageOf } from '@/api/problem';
import { Empty } from '@/ui/basics';

export function NotFoundPage() {
  return (
    <Empty
      title="There is no such page"
      action={
        <Button component={Link} to="/board">
          Go to the board
        </Button>
      }
    >
      The address may be mistyped, or what it showed is gone.
    </Empty>
  );
}

/** A page that failed to load: after an update its code may be gone, which a reload mends. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Empty
      title="This page could not be shown"
      action={
        <>
          <Button onClick={retry} mr="xs">
            Try again
          </Button>
          <Button variant="default" onClick={() => window.location.reload()}>
            Reload
          </Button>
        </>
      }
    >
      {messageOf(error)}
    </Empty>
  );
}
