
# The lists are edited here. A notebook without them is better than one that does not start.
mkdir -p /mnt/efs
if timeout 60 mount -t nfs4 -o nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport @ADDRESS@:/ /mnt/efs
then
  # As the access point for people makes it; ec2-user has the same number.
  install --directory --owner=@USER@ --group=@USER@ --mode=0775 /mnt/efs@FOLDER@
  ln --symbolic --force --no-dereference /mnt/efs@FOLDER@ /home/ec2-user/SageMaker@FOLDER@
else
  echo 'EFS at @ADDRESS@ cannot be mounted' >&2
fi
