import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { api } from '@/api/client';
import { sessionQuery, useSession } from '@/api/session';
import { SecondFactorSetup } from '@/ui/SecondFactorSetup';
import { toastError } from '@/ui/toast';
import { Frame } from './Frame';

/** For somebody without a second factor in a workspace that wants one of everybody. */
export default function EnrolPage() {
  const session = useSession();
  const client = useQueryClient();
  const router = useRouter();
  const signOut = useMutation({
    mutationFn: () => api.delete('/v1/session'),
    onSuccess: () => {
      client.clear();
      void router.navigate({ to: '/sign-in' });
    },
    onError: (error) => toastError('You are still signed in', error),
  });
  return (
    <Frame title="One more step" lead={`${session.workspace.name} asks everybody to sign in with a second factor.`}>
      <SecondFactorSetup
        onDone={() => void client.invalidateQueries({ queryKey: sessionQuery.queryKey })}
        cancel={
          <Button variant="default" loading={signOut.isPending} onClick={() => signOut.mutate()}>
            Sign out
          </Button>
        }
      />
    </Frame>
  );
}
