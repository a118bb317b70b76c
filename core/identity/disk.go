package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"intercom/core/fault"
)

// maxFile bounds every file read here; a real one is below 2 KiB.
const maxFile = 64 << 10

// present tells whether something has that name, be it unreadable.
func present(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

// readSmall reads a regular file of at most maxFile bytes. Anything else, like a
// pipe that would block, is refused before it is opened.
func readSmall(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, 0, unreadable(path, fmt.Errorf("it is not a regular file of at most %d bytes", maxFile))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	return data, info.Mode(), nil
}

func unreadable(path string, err error) error {
	return fault.New(fault.Unavailable, "Error reading file: %q: %w", path, reason(err)).
		WithHint("check that the path is right and that this user may read it")
}

// exposed tells whether others than the owner may use a file. Windows keeps
// this elsewhere: there the files are as private as the user's profile.
func exposed(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0
}

func exposedFault(path string, mode fs.FileMode) error {
	return fault.New(fault.Denied, "identity %q is unprotected and others may read it (mode %04o)", path, mode.Perm()).
		WithHint("chmod 600 it, and make a new identity if others had access; on a file system without modes use --passphrase-file")
}

// writeNew puts data at path, whole and on the disk or not at all, and never
// over another file: then the error is fs.ErrExist. With private set it refuses
// a file system that cannot keep the file to its owner.
//
// The data goes into a file of a random name, which is then linked to path: of
// several linkers the system lets one win.
func writeNew(path string, data []byte, private bool) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return unwritable(path, err)
	}
	temp := path + ".new-" + rand.Text()
	defer os.Remove(temp)
	mode, err := writeSynced(temp, data)
	if err != nil {
		return unwritable(path, err)
	}
	if private && exposed(mode) {
		return exposedFault(path, mode)
	}
	switch err := publish(temp, path); {
	case errors.Is(err, fs.ErrExist):
		return fs.ErrExist
	case err != nil:
		return unwritable(path, err)
	}
	if err := syncDir(dir); err != nil {
		return unwritable(path, err)
	}
	return nil
}

func writeSynced(path string, data []byte) (mode fs.FileMode, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// publish gives temp the name path unless that name is taken. Where the file
// system has no hard links two processes could both find the name free in the
// same instant; the store's lock keeps them apart then.
func publish(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if present(path) {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

func unwritable(path string, err error) error {
	return fault.New(fault.Unavailable, "cannot write %q: %w", path, reason(err)).
		WithHint("check that the directory may be written to and that the disk is not full")
}

// reason drops the path and system call that os errors repeat.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
